/** Experiments side by side: their curves on one axis. The first one is the baseline. */
import { Charts } from "./charts/charts.js";
import { chartWords } from "./charts/words.js";
import { element } from "./elements.js";
import { language, words } from "./language/words.js";

export class CompareView {
  root = element("article", { class: "comparison" });
  /** @type {Charts | undefined} */
  #charts;

  /** @param {readonly string[]} ids */
  constructor(ids) {
    const { compareTitle, compareIntroduction, compareTooFew } = words();
    this.root.append(element("h1", {}, compareTitle));
    const [baseline, ...others] = ids;
    if (baseline === undefined || others.length === 0) {
      this.root.append(element("p", { class: "none" }, compareTooFew));
      return;
    }
    this.#charts = new Charts({ id: baseline, words: chartWords[language()] });
    this.#charts.overlay(others);
    this.root.append(
      element("p", { class: "introduction" }, ids.join(" · "), " – ", compareIntroduction),
      this.#charts.root,
    );
  }

  async refresh() {
    await this.#charts?.refresh();
  }

  redraw() {
    this.#charts?.redraw();
  }
}
