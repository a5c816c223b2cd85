/** All charts of an experiment: they share the range that is shown, the place of the cursor and one question to the service. */
import { element } from "../elements.js";
import { CurveData } from "./curve-data.js";
import { LossChart } from "./loss-chart.js";
import { readCurves } from "./read-curves.js";
import { SmallChart } from "./small-chart.js";

/** @typedef {import("../live.js").NewSteps} NewSteps */
/** @typedef {{ microStep: number, loss: number }} EvaluatedCheckpoint */
/** @typedef {{ kind: string, firstMicroStep: number, lastMicroStep: number }} WarningMark kind as `Warning.Kind`, such as `KIND_SPIKE` */
/**
 * What lies on the curves and is no curve. What is left out stays as it was.
 * @typedef {{
 *   evaluations?: readonly EvaluatedCheckpoint[],
 *   warnings?: readonly WarningMark[],
 *   checkpoints?: readonly number[],
 *   epochEnds?: readonly number[],
 *   target?: number,
 * }} Marks
 */

/** Curves over steps, and where the stream has their values. */
const stepCurves = /** @type {const} */ ({
  "train/loss": "loss",
  "train/lr": "learningRate",
  "train/grad_norm": "gradientNorm",
  "perf/tokens_per_second": "tokensPerSecond",
});
const points = 900;

export class Charts {
  root = element("section", { class: "charts" });
  #id;
  #loss;
  #small;
  /** @type {Map<string, CurveData>} */
  #curves = new Map(Object.keys(stepCurves).map((metric) => [metric, new CurveData()]));
  /** @type {import("./loss-chart.js").Evaluations} */
  #evaluations = { steps: [], loss: [] };
  /** @type {Marks} */
  #marks = {};
  /** What was asked for: a fixed range, or a share of the run up to its end. @type {{ range?: import("./chart.js").Range, share?: number }} */
  #wanted = { share: 1 };
  #lastStep = 0;
  #loading = false;
  #mustLoadAgain = false;
  #drawing = false;

  /**
   * @param {{ id: string, words: import("./words.js").ChartWords, onStep?: (microStep: number) => void }} options
   *   `onStep`: somebody chose a micro-step, to see more of it
   */
  constructor({ id, words }) {
    this.#id = id;
    const onZoom = (/** @type {import("./chart.js").Range} */ range) =>
      this.#want(range === undefined ? { share: 1 } : { range });
    this.#loss = new LossChart({ onZoom, onShare: (share) => this.#want({ share }) });
    this.#small = [
      { metric: "train/lr", chart: new SmallChart({ title: words.learningRate, unit: "", onZoom }) },
      { metric: "train/grad_norm", chart: new SmallChart({ title: words.gradientNorm, unit: "", onZoom }) },
      {
        metric: "perf/tokens_per_second",
        chart: new SmallChart({ title: words.speed, unit: words.tokensPerSecond, onZoom }),
      },
    ];
    const small = element("div", { class: "small-charts" }, ...this.#small.map(({ chart }) => chart.root));
    this.root.append(this.#loss.root, small);
  }

  /** Asks for all curves anew. One question at a time; what is asked for meanwhile is asked for once, afterwards. */
  async refresh() {
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

  /** Steps that the stream has brought. @param {NewSteps} steps */
  append(steps) {
    this.#lastStep = Math.max(this.#lastStep, ...steps.microStep);
    if (this.#wanted.range !== undefined) return; // a fixed range does not move
    for (const [metric, column] of Object.entries(stepCurves))
      this.#curves.get(metric)?.append(steps.microStep, steps[column]);
    const isLong = [...this.#curves.values()].some((curve) => curve.hasGrownTooLong);
    if (isLong || (this.#wanted.share ?? 1) < 1) void this.refresh();
    this.#draw();
  }

  /** Other experiments, whose loss is drawn over this one's. @param {readonly string[]} _ids */
  overlay(_ids) {}

  /** With the colours and the size of now. */
  redraw() {
    this.#loss.redraw();
    for (const { chart } of this.#small) chart.redraw();
  }

  /** @param {Marks} marks */
  mark(marks) {
    this.#marks = { ...this.#marks, ...marks };
    const { evaluations, epochEnds = [], target } = this.#marks;
    if (evaluations !== undefined)
      this.#evaluations = {
        steps: evaluations.map(({ microStep }) => microStep),
        loss: evaluations.map(({ loss }) => loss),
      };
    this.#loss.mark({ target, epochEnds });
    this.#draw();
  }

  /** @param {{ range?: import("./chart.js").Range, share?: number }} wanted */
  #want(wanted) {
    this.#wanted = wanted;
    this.#loss.press(wanted.share);
    void this.refresh();
  }

  async #load() {
    const { from, to } = this.#asked();
    const metrics = Object.keys(stepCurves);
    const columns = await readCurves(this.#id, [...metrics, "eval/loss"], { from, to, points });
    metrics.forEach((metric, index) => this.#curves.get(metric)?.load(columns[index]));
    this.#lastStep = Math.max(this.#lastStep, this.#curves.get("train/loss")?.steps.at(-1) ?? 0);
    const evaluations = columns[metrics.length];
    this.#evaluations = { steps: evaluations?.last ?? [], loss: evaluations?.mean ?? [] };
    this.#draw();
  }

  /** In micro-steps; 0 for "from the beginning" and "to the end". */
  #asked() {
    const { range, share = 1 } = this.#wanted;
    if (range !== undefined) return range;
    return { from: share === 1 ? 0 : Math.max(1, Math.floor(this.#lastStep * (1 - share)) + 1), to: 0 };
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
}
