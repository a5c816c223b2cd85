/** The head of an experiment: what it is, how far it is, and its most important numbers. */
import { element, fill } from "../elements.js";
import { counted, duration, localTime, loss } from "../figures.js";
import { words } from "../language/words.js";
import { reasonWord, stateWord, verdictWord } from "../state-words.js";

/** @typedef {import("../api.js").Overview} Overview */

export class Headline {
  root = element("header", { class: "headline" });
  #title = element("h1");
  #state = element("p", { class: "state-line" });
  #purpose = element("p", { class: "purpose" });
  #progress = element("progress", { max: 1, "aria-label": words().progress });
  #progressText = element("p", { class: "progress-text" });
  #tiles = element("dl", { class: "tiles" });

  constructor() {
    this.root.append(this.#title, this.#state, this.#purpose, this.#progress, this.#progressText, this.#tiles);
  }

  /**
   * @param {Overview} overview
   * @param {import("../api.js").Detail | undefined} detail
   */
  show(overview, detail) {
    fill(this.#title, [words().experimentTitle(overview.title)]);
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

/** @param {Overview} overview */
function stateLine(overview) {
  const verdicts = overview.verdicts && verdictWord(overview.verdicts);
  const reason = [reasonWord(overview.reason), overview.message].filter(Boolean).join(" – ");
  return [
    signed(stateWord(overview.state)),
    verdicts && signed(verdicts),
    reason && element("span", { class: "message" }, reason),
  ];
}

/** @param {{ sign: string, word: string, tone: string }} said */
function signed({ sign, word, tone }) {
  return element(
    "span",
    { class: `state ${tone}` },
    element("span", { class: "sign", "aria-hidden": "true" }, sign),
    word,
  );
}

/** @param {Overview} overview */
function progressText({ microStep, totalMicroSteps, optimizerStep, epoch, epochs, secondsLeft, endedMs, createdMs }) {
  const said = words();
  if (totalMicroSteps === 0) return createdMs === undefined ? "" : said.created(localTime(createdMs));
  return [
    said.microStep(counted(microStep), counted(totalMicroSteps)),
    said.optimizerStep(counted(optimizerStep)),
    epoch > 0 && said.epoch(epoch, epochs),
    secondsLeft !== undefined && said.aboutLeft(duration(secondsLeft)),
    endedMs !== undefined && said.ended(localTime(endedMs)),
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * @param {Overview} overview
 * @param {import("../api.js").Detail | undefined} detail
 */
function tiles(overview, detail) {
  const said = words();
  const valueOf = (/** @type {string} */ metric) => detail?.numbers[metric] ?? "–";
  const speed = overview.tokensPerSecond;
  return [
    tile(said.trainingLoss, loss(overview.lossNatsPerToken), said.trainingLossNote),
    tile(said.validationLoss, valueOf("eval/loss"), said.perplexityIs(valueOf("eval/perplexity"))),
    tile(said.reduction, valueOf("train/loss_reduction"), said.reductionNote),
    tile(said.speed, speed === undefined ? "–" : counted(speed), said.speedNote),
    tile(said.model, detail?.parameters || "–", detail?.environment || said.modelNote),
  ];
}

/** @param {string} name @param {string} value @param {string} note */
function tile(name, value, note) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value), element("dd", { class: "note" }, note));
}
