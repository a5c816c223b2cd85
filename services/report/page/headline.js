/** The head of an experiment: what it is, how far it is, and its most important numbers. */
import { element, fill } from "./elements.js";
import { counted, duration, localTime, loss } from "./figures.js";
import { stateWord, verdictWord } from "./state-words.js";

export class Headline {
  root = element("header", { class: "headline" });
  #title = element("h1");
  #state = element("p", { class: "state-line" });
  #purpose = element("p", { class: "purpose" });
  #progress = element("progress", { max: 1, "aria-label": "Progress" });
  #progressText = element("p", { class: "progress-text" });
  #tiles = element("dl", { class: "tiles" });

  constructor() {
    this.root.append(this.#title, this.#state, this.#purpose, this.#progress, this.#progressText, this.#tiles);
  }

  /**
   * @param {import("./api.js").Overview} overview
   * @param {import("./api.js").Detail | undefined} detail
   */
  show(overview, detail) {
    fill(this.#title, [`Experiment ${overview.title}`]);
    fill(this.#state, stateLine(overview));
    fill(this.#purpose, [overview.purpose]);
    this.#purpose.hidden = overview.purpose === "";
    const { microStep, totalMicroSteps } = overview;
    this.#progress.hidden = totalMicroSteps === 0;
    this.#progress.value = totalMicroSteps > 0 ? Math.min(1, microStep / totalMicroSteps) : 0;
    fill(this.#progressText, [progressText(overview)]);
    fill(this.#tiles, tiles(overview, detail));
  }
}

/** @param {import("./api.js").Overview} overview */
function stateLine(overview) {
  const { sign, word, tone } = stateWord(overview.state);
  const verdicts = overview.verdicts && verdictWord(overview.verdicts);
  return [
    element("span", { class: `state ${tone}` }, element("span", { class: "sign", "aria-hidden": "true" }, sign), word),
    verdicts &&
      element(
        "span",
        { class: `state ${verdicts.tone}` },
        element("span", { class: "sign", "aria-hidden": "true" }, verdicts.sign),
        verdicts.word,
      ),
    overview.message && element("span", { class: "message" }, overview.message),
  ];
}

/** @param {import("./api.js").Overview} overview */
function progressText({ microStep, totalMicroSteps, optimizerStep, epoch, epochs, secondsLeft, endedMs, createdMs }) {
  if (totalMicroSteps === 0) return createdMs === undefined ? "" : `created ${localTime(createdMs)}`;
  const parts = [
    `micro-step ${counted(microStep)} of ${counted(totalMicroSteps)}`,
    `optimizer step ${counted(optimizerStep)}`,
  ];
  if (epoch > 0) parts.push(`epoch ${epoch} of ${epochs}`);
  if (secondsLeft !== undefined) parts.push(`about ${duration(secondsLeft)} left`);
  if (endedMs !== undefined) parts.push(`ended ${localTime(endedMs)}`);
  return parts.join(" · ");
}

/**
 * @param {import("./api.js").Overview} overview
 * @param {import("./api.js").Detail | undefined} detail
 */
function tiles(overview, detail) {
  const valueOf = (/** @type {string} */ metric) =>
    detail?.indicators.find((row) => row.metric === metric)?.final ?? "–";
  const speed = overview.tokensPerSecond;
  return [
    tile("Training loss", loss(overview.lossNatsPerToken), "nats per token, last micro-step"),
    tile("Validation loss", valueOf("eval/loss"), `perplexity ${valueOf("eval/perplexity")}`),
    tile("Reduction", valueOf("train/loss_reduction"), "of the first loss"),
    tile("Speed", speed === undefined ? "–" : counted(speed), "real tokens per second"),
    tile("Model", detail?.parameters || "–", detail?.environment || "parameters"),
  ];
}

/** @param {string} name @param {string} value @param {string} note */
function tile(name, value, note) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value), element("dd", { class: "note" }, note));
}
