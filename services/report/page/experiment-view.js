/** One experiment: its head, its curves, its tables; kept up to date by the live stream. */
import * as api from "./api.js";
import { CurveData } from "./curve-data.js";
import { element } from "./elements.js";
import { Headline } from "./headline.js";
import { LossChart } from "./loss-chart.js";
import { SmallChart } from "./small-chart.js";
import { Tables } from "./tables.js";

/** Curves over steps, and where the stream has their values. */
const stepCurves = /** @type {const} */ ({
  "train/loss": "loss",
  "train/lr": "learningRate",
  "train/grad_norm": "gradientNorm",
  "perf/tokens_per_second": "tokensPerSecond",
});
const points = 900;

export class ExperimentView {
  root = element("article");
  #id;
  #headline = new Headline();
  #loss;
  #small;
  #tables = new Tables();
  /** @type {Map<string, CurveData>} */
  #curves = new Map(Object.keys(stepCurves).map((metric) => [metric, new CurveData()]));
  /** @type {import("./loss-chart.js").Evaluations} */
  #evaluations = { steps: [], loss: [] };
  /** What was asked for: a fixed range, or a share of the run up to its end. @type {{ range?: import("./chart.js").Range, share?: number }} */
  #wanted = { share: 1 };
  /** @type {api.Overview | undefined} */
  #overview;
  /** @type {api.Detail | undefined} */
  #detail;
  #loading = false;
  #mustLoadAgain = false;
  #drawing = false;

  /** @param {string} id */
  constructor(id) {
    this.#id = id;
    const onZoom = (/** @type {import("./chart.js").Range} */ range) =>
      this.#want(range === undefined ? { share: 1 } : { range });
    this.#loss = new LossChart({ onZoom, onShare: (share) => this.#want({ share }) });
    this.#small = [
      { metric: "train/lr", chart: new SmallChart({ title: "Learning rate", unit: "", onZoom }) },
      { metric: "train/grad_norm", chart: new SmallChart({ title: "Gradient norm", unit: "", onZoom }) },
      { metric: "perf/tokens_per_second", chart: new SmallChart({ title: "Speed", unit: "tokens/s", onZoom }) },
    ];
    const small = element("div", { class: "small-charts" }, ...this.#small.map(({ chart }) => chart.root));
    this.root.append(this.#headline.root, this.#recordLinks(), this.#loss.root, small, this.#tables.root);
  }

  get isRunning() {
    return this.#overview !== undefined && !this.#overview.isFinal;
  }

  /** Everything anew. */
  async refresh() {
    await Promise.all([this.refreshFacts(), this.refreshCurves()]);
  }

  async refreshFacts() {
    const { overview, detail } = await api.experiment(this.#id);
    this.#detail = detail;
    this.#tables.show(detail);
    this.showOverview(overview);
    this.#mark();
  }

  /** One request at a time; what is asked for meanwhile is asked for once, afterwards. */
  async refreshCurves() {
    if (this.#loading) {
      this.#mustLoadAgain = true;
      return;
    }
    this.#loading = true;
    try {
      do {
        this.#mustLoadAgain = false;
        await this.#load();
      } while (this.#mustLoadAgain);
    } finally {
      this.#loading = false;
    }
  }

  /** @param {api.Overview} overview */
  showOverview(overview) {
    this.#overview = overview;
    this.#headline.show(overview, this.#detail);
  }

  /** @param {import("./live.js").NewSteps} steps */
  append(steps) {
    if (this.#wanted.range !== undefined) return; // a fixed range does not move
    for (const [metric, column] of Object.entries(stepCurves))
      this.#curves.get(metric)?.append(steps.microStep, steps[column]);
    const isLong = [...this.#curves.values()].some((curve) => curve.hasGrownTooLong);
    if (isLong || (this.#wanted.share ?? 1) < 1) void this.refreshCurves();
    this.#draw();
  }

  /** With the colours of now. */
  redraw() {
    this.#loss.redraw();
    for (const { chart } of this.#small) chart.redraw();
  }

  /** @param {{ range?: import("./chart.js").Range, share?: number }} wanted */
  #want(wanted) {
    this.#wanted = wanted;
    this.#loss.press(wanted.share);
    void this.refreshCurves();
  }

  async #load() {
    const { from, to } = this.#asked();
    const metrics = Object.keys(stepCurves);
    const columns = await api.curves(this.#id, [...metrics, "eval/loss"], { from, to, points });
    metrics.forEach((metric, index) => this.#curves.get(metric)?.load(columns[index]));
    const evaluations = columns[metrics.length];
    this.#evaluations = { steps: evaluations?.last ?? [], loss: evaluations?.mean ?? [] };
    this.#draw();
  }

  /** In micro-steps; 0 for "from the beginning" and "to the end". */
  #asked() {
    const { range, share = 1 } = this.#wanted;
    if (range !== undefined) return range;
    const last = this.#overview?.microStep ?? 0;
    return { from: share === 1 ? 0 : Math.max(1, Math.floor(last * (1 - share)) + 1), to: 0 };
  }

  /** At most once per frame. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const { range } = this.#wanted;
      const lossCurve = this.#curves.get("train/loss");
      if (lossCurve !== undefined) this.#loss.show(lossCurve, this.#evaluations, range);
      for (const { metric, chart } of this.#small) {
        const curve = this.#curves.get(metric);
        if (curve !== undefined) chart.show(curve, range);
      }
    });
  }

  #mark() {
    const { stepsPerEpoch = 0, lossTarget } = this.#detail ?? {};
    const epochs = this.#overview?.epochs ?? 0;
    const epochEnds =
      stepsPerEpoch > 0
        ? Array.from({ length: Math.max(0, epochs - 1) }, (_, index) => (index + 1) * stepsPerEpoch)
        : [];
    this.#loss.mark({ target: lossTarget, epochEnds });
    this.#draw();
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
