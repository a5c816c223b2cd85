/** Key indicators, checkpoints, corrections and log lines of one experiment. */
import { element, fill } from "./elements.js";

export class Tables {
  root = element("div", { class: "tables" });
  #indicators = card("Key indicators");
  #checkpoints = card("Checkpoints and evaluations");
  #corrections = card("Corrections");
  #gaps = card("Gaps");
  #log = card("Log");

  constructor() {
    const cards = [this.#indicators, this.#checkpoints, this.#corrections, this.#gaps, this.#log];
    this.root.append(...cards.map(({ root }) => root));
  }

  /** @param {import("./api.js").Detail} detail */
  show({ indicators, checkpoints, corrections, gaps, log }) {
    fill(this.#indicators.body, [
      table(["Metric", "Value", "Best", "Target", "Verdict"], indicators.map(indicatorRow), numericIndicator),
    ]);
    fill(
      this.#checkpoints.body,
      checkpoints.length === 0
        ? [none("No checkpoint has been written yet.")]
        : [
            table(
              [
                "Micro-step",
                "Validation loss",
                "Perplexity",
                "Inference loss",
                "Top-1",
                "Evaluation",
                "Size",
                "Written",
              ],
              checkpoints.map(checkpointRow),
              numericCheckpoint,
            ),
          ],
    );
    this.#corrections.root.hidden = corrections.length === 0;
    fill(this.#corrections.body, [
      table(
        ["Micro-step", "Number", "Old", "New", "Change", "Cause", "Fix", "Author"],
        corrections.map(correctionRow),
        numericCorrection,
      ),
    ]);
    this.#gaps.root.hidden = gaps.length === 0;
    fill(this.#gaps.body, [element("ul", {}, ...gaps.map((gap) => element("li", {}, gap)))]);
    fill(
      this.#log.body,
      log.length === 0
        ? [none("none")]
        : [table(["When", "Level", "Message"], [...log].reverse().map(logRow), new Set())],
    );
  }
}

const numericIndicator = new Set([1, 2]);
const numericCheckpoint = new Set([0, 1, 2, 3, 4, 6]);
const numericCorrection = new Set([0, 2, 3, 4]);
/** Columns of sentences, which are broken into lines. */
const prose = new Set(["Message", "Evaluation", "Cause", "Fix"]);

/** @param {string} title */
function card(title) {
  const body = element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title });
  return { root: element("section", { class: "card" }, element("h2", {}, title), body), body };
}

/** @param {string} text */
function none(text) {
  return element("p", { class: "none" }, text);
}

/** @param {import("./api.js").IndicatorRow} row */
function indicatorRow({ metric, meaning, final, best, target, verdict, basis }) {
  const name = element("span", { title: `${meaning}. Computed over ${basis}.` }, element("code", {}, metric));
  return [name, final, best, target, word(verdict)];
}

/** @param {import("./api.js").CheckpointRow} row */
function checkpointRow({ microStep, validationLoss, perplexity, inferenceLoss, top1Accuracy, size, written, state }) {
  return [microStep, validationLoss, perplexity, inferenceLoss, top1Accuracy, word(state), size, written];
}

/** @param {import("./api.js").CorrectionRow} row */
function correctionRow({ microStep, metric, before, after, change, cause, fix, author }) {
  return [microStep, element("code", {}, metric), before, after, change, cause, fix, author];
}

/** @param {import("./api.js").LogRow} row */
function logRow({ time, level, message }) {
  return [time, word(level), message];
}

/** @param {import("./api.js").Word} word */
function word({ text, tone }) {
  return element("span", { class: tone }, text);
}

/**
 * @param {readonly string[]} titles
 * @param {readonly (readonly import("./elements.js").Child[])[]} rows
 * @param {ReadonlySet<number>} numeric columns
 */
function table(titles, rows, numeric) {
  const form = (/** @type {number} */ index) =>
    prose.has(titles[index] ?? "") ? "message" : numeric.has(index) ? "number" : "text";
  const head = titles.map((title, index) => element("th", { scope: "col", class: form(index) }, title));
  const body = rows.map((row) =>
    element("tr", {}, ...row.map((cell, index) => element("td", { class: form(index) }, cell))),
  );
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}
