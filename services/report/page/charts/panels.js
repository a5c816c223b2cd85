/** Which charts there are, and which curves each shows. A new curve of steps is a line here, and its column in the stream. */

/** @typedef {keyof import("./words.js").ChartWords} Word */
/**
 * @typedef {{
 *   name: string,
 *   title: Word,
 *   unit?: Word | "s" | "bytes",
 *   curves: readonly { metric: string, live?: LiveColumn, label: Word }[],
 *   isStacked?: boolean,
 *   mayBeLogarithmic?: boolean,
 *   warnings: readonly string[],
 * }} PanelKind
 */
/** @typedef {"loss" | "learningRate" | "gradientNorm" | "tokensPerSecond" | "dataSeconds" | "forwardBackwardSeconds" | "optimizerSeconds" | "otherSeconds"} LiveColumn */

/** @type {PanelKind} */
export const lossPanel = {
  name: "loss",
  title: "loss",
  curves: [{ metric: "train/loss", live: "loss", label: "loss" }],
  mayBeLogarithmic: true,
  warnings: ["KIND_SPIKE", "KIND_PLATEAU", "KIND_DIVERGENCE", "KIND_NOT_FINITE"],
};

/** @type {readonly PanelKind[]} */
export const smallPanels = [
  {
    name: "learning-rate",
    title: "learningRate",
    curves: [{ metric: "train/lr", live: "learningRate", label: "learningRate" }],
    warnings: [],
  },
  {
    name: "gradient-norm",
    title: "gradientNorm",
    curves: [{ metric: "train/grad_norm", live: "gradientNorm", label: "gradientNorm" }],
    mayBeLogarithmic: true,
    warnings: ["KIND_CLIPPING"],
  },
  {
    name: "speed",
    title: "speed",
    unit: "tokensPerSecond",
    curves: [{ metric: "perf/tokens_per_second", live: "tokensPerSecond", label: "speed" }],
    warnings: [],
  },
  {
    name: "phases",
    title: "phases",
    unit: "s",
    curves: [
      { metric: "perf/forward_backward_seconds", live: "forwardBackwardSeconds", label: "forwardBackward" },
      { metric: "perf/optimizer_seconds", live: "optimizerSeconds", label: "optimizer" },
      { metric: "perf/other_seconds", live: "otherSeconds", label: "other" },
      { metric: "perf/data_wait_seconds", live: "dataSeconds", label: "waitingForData" },
    ],
    isStacked: true,
    warnings: ["KIND_SLOW_DATA"],
  },
  {
    name: "memory",
    title: "memory",
    unit: "bytes",
    curves: [
      { metric: "memory/rss_bytes", label: "resident" },
      { metric: "memory/tensor_bytes", label: "tensors" },
    ],
    warnings: ["KIND_MEMORY_GROWTH"],
  },
];
