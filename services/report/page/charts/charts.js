/** All charts of an experiment: they share the range that is shown, the axis, the cursor and the questions to the service. */
import { element } from "../elements.js";
import { corresponding, placesAlong } from "./axis.js";
import { Controls } from "./controls.js";
import { CurveData } from "./curve-data.js";
import { Panel } from "./panel.js";
import { lossPanel, smallPanels } from "./panels.js";
import { readCurves } from "./read-curves.js";

/** @typedef {import("../live.js").NewSteps} NewSteps */
/** @typedef {{ microStep: number, loss: number }} EvaluatedCheckpoint */
/** @typedef {{ kind: string, firstMicroStep: number, lastMicroStep: number }} WarningMark kind as `Warning.Kind`, such as `KIND_SPIKE` */
/**
 * What lies on the curves and is no curve. What is left out stays as it was.
 * @typedef {{
 *   warnings?: readonly WarningMark[],
 *   checkpoints?: readonly number[],
 *   epochEnds?: readonly number[],
 *   target?: number,
 * }} Marks
 */

const points = 900;
/** Memory is sampled and does not come with the steps: so often it is asked for while they come. */
const samplesMs = 10_000;
let made = 0;

export class Charts {
  root = element("section", { class: "charts" });
  #id;
  #words;
  #controls;
  #panels;
  /** By metric. @type {Map<string, CurveData>} */
  #curves;
  #evaluations = new CurveData();
  /** The whole run in few points, as it was asked for last: where a place of the axis lies. */
  #whole = new CurveData();
  /** By experiment: its loss as shown, and its whole run. @type {Map<string, { curve: CurveData, whole: CurveData }>} */
  #others = new Map();
  /** @type {Marks} */
  #marks = {};
  /** What was asked for: a fixed range of the axis, or a share of the run up to its end. @type {{ range?: import("./chart.js").Range, share?: number }} */
  #wanted = { share: 1 };
  #onLoss;
  #loading = false;
  #mustLoadAgain = false;
  #drawing = false;
  #loadedMs = 0;

  /**
   * @param {{
   *   id: string, words: import("./words.js").ChartWords, onStep?: (microStep: number) => void, onLoss?: () => void,
   * }} options `onStep`: somebody chose a micro-step, to see more of it; `onLoss`: the first of the curves is there
   */
  constructor({ id, words, onStep, onLoss }) {
    this.#id = id;
    this.#words = words;
    this.#onLoss = onLoss;
    this.#controls = new Controls(words, {
      onShare: (share) => this.#want({ share }),
      onAxis: () => this.#want({ share: 1 }),
      onSmoothing: () => void this.refresh(),
      onScale: () => this.redraw(),
    });
    const kinds = [lossPanel, ...smallPanels];
    this.#curves = new Map(kinds.flatMap(({ curves }) => curves.map(({ metric }) => [metric, new CurveData()])));
    const syncKey = `charts-${(made += 1)}`;
    this.#panels = kinds.map((kind) => ({
      kind,
      panel: new Panel({
        kind,
        id,
        words,
        syncKey,
        onStep,
        height: kind === lossPanel ? 360 : 170,
        isLogarithmic: () => kind.mayBeLogarithmic === true && this.#controls.isLogarithmic,
        onZoom: (range) => this.#want(range === undefined ? { share: 1 } : { range }),
      }),
    }));
    const [loss, ...small] = this.#panels.map(({ panel }) => panel.root);
    loss?.append(this.#controls.root);
    this.root.append(...(loss === undefined ? [] : [loss]), element("div", { class: "small-charts" }, ...small));
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
    if (this.#wanted.range !== undefined) return; // a fixed range does not move
    for (const { kind } of this.#panels)
      for (const { metric, live } of kind.curves)
        if (live !== undefined) this.#curves.get(metric)?.append(steps, steps[live]);
    this.#whole.append(steps, steps.loss);
    const isLong = [...this.#curves.values()].some((curve) => curve.hasGrownTooLong);
    const isOld = performance.now() - this.#loadedMs > samplesMs;
    if (isLong || isOld || (this.#wanted.share ?? 1) < 1) void this.refresh().catch(() => undefined); // the page says that nobody answers
    this.#draw();
  }

  /** Other experiments, whose loss is drawn over this one's. @param {readonly string[]} ids */
  overlay(ids) {
    this.#others = new Map(
      ids.map((id) => [id, this.#others.get(id) ?? { curve: new CurveData(), whole: new CurveData() }]),
    );
  }

  /** With the colours, the scale and the size of now. */
  redraw() {
    for (const { panel } of this.#panels) panel.redraw();
  }

  /** @param {Marks} marks */
  mark(marks) {
    this.#marks = { ...this.#marks, ...marks };
    this.#draw();
  }

  /** @param {{ range?: import("./chart.js").Range, share?: number }} wanted */
  #want(wanted) {
    this.#wanted = wanted;
    this.#controls.press(wanted.share);
    void this.refresh().catch(() => undefined);
  }

  async #load() {
    this.#loadedMs = performance.now();
    const range = { ...this.#asked(this.#whole), points };
    await this.#loadLoss(range); // by itself, so that the first chart need not wait for the others
    const isWhole = range.from === 0 && range.to === 0;
    if (isWhole && this.#controls.suit(this.#whole.steps.at(-1) ?? 0)) await this.#loadLoss(range);
    const { smoothing } = this.#controls;
    const metrics = [...this.#curves.keys()].filter((metric) => metric !== "train/loss");
    const [columns] = await Promise.all([readCurves(this.#id, metrics, range), this.#loadOthers(smoothing)]);
    metrics.forEach((metric, index) => this.#curves.get(metric)?.load(columns[index]));
    this.#draw();
  }

  /** @param {import("./read-curves.js").CurveRange} range */
  async #loadLoss(range) {
    const { smoothing } = this.#controls;
    const [loss, evaluations] = await readCurves(this.#id, ["train/loss", "eval/loss"], { ...range, smoothing });
    this.#curves.get("train/loss")?.load(loss, smoothing);
    this.#evaluations.load(evaluations);
    if (range.from === 0 && range.to === 0) this.#whole.load(loss);
    this.#onLoss?.();
    this.#draw();
  }

  /** @param {number} smoothing */
  async #loadOthers(smoothing) {
    await Promise.all(
      [...this.#others].map(async ([id, { curve, whole }]) => {
        const all = { from: 0, to: 0, points };
        if (whole.steps.length === 0) whole.load((await readCurves(id, ["train/loss"], all))[0]);
        const range = { ...this.#asked(whole), points, smoothing };
        curve.load((await readCurves(id, ["train/loss"], range))[0], smoothing);
      }),
    );
  }

  /**
   * In micro-steps of a run; 0 for "from the beginning" and "to the end".
   * @param {CurveData} whole
   */
  #asked(whole) {
    const { range, share = 1 } = this.#wanted;
    const last = whole.steps.at(-1) ?? 0;
    if (range === undefined) return { from: share === 1 ? 0 : Math.max(1, Math.floor(last * (1 - share)) + 1), to: 0 };
    const { axis } = this.#controls;
    const stepAt = (/** @type {number} */ place) =>
      axis === "step" ? place : corresponding(placesAlong(whole, axis), whole.steps, place);
    const from = Math.max(1, Math.floor(stepAt(range.from)));
    return { from, to: Math.max(from, Math.ceil(stepAt(range.to))) };
  }

  /** At most once per frame. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      for (const { kind, panel } of this.#panels) this.#show(kind, panel);
    });
  }

  /** @param {import("./panels.js").PanelKind} kind @param {Panel} panel */
  #show(kind, panel) {
    const isLoss = kind === lossPanel;
    panel.show({
      curves: kind.curves.flatMap(({ metric }) => this.#curves.get(metric) ?? []),
      evaluations: isLoss ? this.#evaluations : undefined,
      overlays: isLoss ? [...this.#others].map(([id, { curve }]) => ({ id, curve })) : [],
      axis: this.#controls.axis,
      range: this.#wanted.range,
      marks: this.#marksOf(kind),
    });
  }

  /** Where they lie along the axis. @param {import("./panels.js").PanelKind} kind @returns {import("./marks.js").ChartMarks} */
  #marksOf(kind) {
    const { warnings = [], checkpoints = [], epochEnds = [], target } = this.#marks;
    const { axis } = this.#controls;
    const along = placesAlong(this.#whole, axis);
    const at = (/** @type {number} */ step) => (axis === "step" ? step : corresponding(this.#whole.steps, along, step));
    const own = warnings.filter(({ kind: warning }) => kind.warnings.includes(warning));
    const isLoss = kind === lossPanel;
    return {
      epochs: epochEnds.map((step, index) => ({
        at: at(step),
        text: isLoss ? `${this.#words.epoch} ${index + 1}` : "",
      })),
      warnings: own.map((warning) => ({
        at: at(warning.firstMicroStep),
        to: at(warning.lastMicroStep),
        text: wordOf(this.#words, warning.kind),
      })),
      checkpoints: isLoss ? checkpoints.map(at) : [],
      ...(isLoss && target !== undefined && { target: { value: target, text: `${this.#words.target} ${target}` } }),
    };
  }
}

/** @param {import("./words.js").ChartWords} words @param {string} kind */
function wordOf(words, kind) {
  return Object.hasOwn(words, kind) ? words[/** @type {keyof typeof words} */ (kind)] : kind;
}
