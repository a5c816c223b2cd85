/** One experiment: its head, its curves, its tables; kept up to date by the live stream. */
import * as api from "./api.js";
import { Charts } from "./charts/charts.js";
import { chartWords } from "./charts/words.js";
import { element } from "./elements.js";
import { Headline } from "./headline.js";
import { Tables } from "./tables.js";

export class ExperimentView {
  root = element("article");
  #id;
  #headline = new Headline();
  #charts;
  #tables = new Tables();
  /** @type {api.Overview | undefined} */
  #overview;
  /** @type {api.Detail | undefined} */
  #detail;

  /** @param {string} id */
  constructor(id) {
    this.#id = id;
    this.#charts = new Charts({ id, words: chartWords.en });
    this.root.append(this.#headline.root, this.#recordLinks(), this.#charts.root, this.#tables.root);
  }

  get isRunning() {
    return this.#overview !== undefined && !this.#overview.isFinal;
  }

  /** Everything anew. */
  async refresh() {
    await Promise.all([this.refreshFacts(), this.#charts.refresh()]);
  }

  async refreshFacts() {
    const { overview, detail } = await api.experiment(this.#id);
    this.#detail = detail;
    this.#tables.show(detail);
    this.showOverview(overview);
    this.#mark();
  }

  /** @param {api.Overview} overview */
  showOverview(overview) {
    this.#overview = overview;
    this.#headline.show(overview, this.#detail);
  }

  /** @param {import("./live.js").NewSteps} steps */
  append(steps) {
    this.#charts.append(steps);
  }

  /** With the colours of now. */
  redraw() {
    this.#charts.redraw();
  }

  #mark() {
    const { stepsPerEpoch = 0, lossTarget } = this.#detail ?? {};
    const epochs = this.#overview?.epochs ?? 0;
    const epochEnds =
      stepsPerEpoch > 0
        ? Array.from({ length: Math.max(0, epochs - 1) }, (_, index) => (index + 1) * stepsPerEpoch)
        : [];
    this.#charts.mark({ epochEnds, ...(lossTarget !== undefined && { target: lossTarget }) });
  }

  #recordLinks() {
    const folder = `/experiments/${encodeURIComponent(this.#id)}`;
    return element(
      "p",
      { class: "record" },
      element("a", { class: "button", href: `${folder}/report.html` }, "Open the record"),
      element("a", { href: `${folder}/report.md` }, "Markdown"),
      element("a", { href: `${folder}/report.json` }, "JSON"),
    );
  }
}
