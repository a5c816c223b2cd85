/** What the page asks the service for. */

/** @typedef {{ text: string, tone: string }} Word */
/** @typedef {{ targets: number, met: number, missed: number }} VerdictCounts */
/**
 * @typedef {{
 *   id: string, title: string, purpose: string, state: string, isFinal: boolean, message: string,
 *   createdMs?: number, endedMs?: number, microStep: number, totalMicroSteps: number, optimizerStep: number,
 *   epoch: number, epochs: number, lossNatsPerToken?: number, tokensPerSecond?: number, secondsLeft?: number,
 *   lastStepMs?: number, verdicts?: VerdictCounts,
 * }} Overview
 */
/** @typedef {{ metric: string, meaning: string, final: string, best: string, target: string, verdict: Word, basis: string }} IndicatorRow */
/** @typedef {{ microStep: string, written: string, size: string, validationLoss: string, perplexity: string, inferenceLoss: string, top1Accuracy: string, state: Word }} CheckpointRow */
/** @typedef {{ microStep: string, metric: string, before: string, after: string, change: string, cause: string, fix: string, author: string }} CorrectionRow */
/** @typedef {{ time: string, level: Word, message: string }} LogRow */
/**
 * @typedef {{
 *   indicators: IndicatorRow[], checkpoints: CheckpointRow[], corrections: CorrectionRow[], log: LogRow[], gaps: string[],
 *   environment: string, parameters: string, lossTarget?: number, stepsPerEpoch: number,
 * }} Detail
 */

/** @returns {Promise<Overview[]>} newest first */
export function experiments() {
  return get("/api/experiments");
}

/** @param {string} id @returns {Promise<{ overview: Overview, detail: Detail }>} */
export function experiment(id) {
  return get(`/api/experiments/${encodeURIComponent(id)}`);
}

/** @param {string} path */
async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error((await response.text()).trim() || `${response.status} ${response.statusText}`);
  return response.json();
}
