/**
 * Experiments side by side: their curves on one axis, and below them what differs, what came out and what cannot be compared, by the
 * renderer of the record. The first one is the baseline.
 */
import { comparison } from "./api.js";
import { Charts } from "./charts/charts.js";
import { chartWords } from "./charts/words.js";
import { element } from "./elements.js";
import { RecordSections } from "./experiment/record-sections.js";
import { language, words } from "./language/words.js";

export class CompareView {
  root = element("article", { class: "comparison" });
  /** @type {Charts | undefined} */
  #charts;
  /** @type {RecordSections | undefined} */
  #sections;

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
    this.#sections = new RecordSections(() => comparison(ids, language()));
    this.root.append(
      element("p", { class: "introduction" }, ids.join(" · "), " – ", compareIntroduction),
      this.#charts.root,
      this.#sections.root,
    );
  }

  async refresh() {
    await Promise.all([this.#charts?.refresh(), this.#sections?.refresh()]);
  }

  redraw() {
    this.#charts?.redraw();
  }
}
