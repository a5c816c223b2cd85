/** The live stream. The browser connects again by itself and says where it was; `refresh` means that it must ask anew. */

/**
 * @typedef {{
 *   refresh: () => void,
 *   facts: () => void,
 *   experiments: () => void,
 *   overview: (overview: import("./api.js").Overview) => void,
 *   steps: (steps: NewSteps) => void,
 *   connection: (isConnected: boolean) => void,
 *   refused: () => void,
 * }} LiveHandlers
 */
/**
 * @typedef {{
 *   microStep: number[], loss: (number | null)[], learningRate: number[], gradientNorm: (number | null)[], tokensPerSecond: number[],
 *   dataSeconds: number[], forwardBackwardSeconds: number[], optimizerSeconds: number[], otherSeconds: number[],
 *   tokens: number[], seconds: number[],
 * }} NewSteps
 */

/**
 * @param {string | undefined} id of the experiment to follow; the list is followed always
 * @param {LiveHandlers} handlers
 * @returns {() => void} ends it
 */
export function follow(id, handlers) {
  const source = new EventSource(id === undefined ? "/api/live" : `/api/live?experiment=${encodeURIComponent(id)}`);
  source.addEventListener("open", () => handlers.connection(true));
  source.addEventListener("error", () => {
    handlers.connection(false);
    if (source.readyState === EventSource.CLOSED) handlers.refused();
  });
  for (const name of /** @type {const} */ (["refresh", "facts", "experiments"]))
    source.addEventListener(name, () => handlers[name]());
  source.addEventListener("overview", ({ data }) => handlers.overview(JSON.parse(data)));
  source.addEventListener("steps", ({ data }) => handlers.steps(JSON.parse(data)));
  return () => source.close();
}
