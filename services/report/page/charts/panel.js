/** One chart in its card: title, what is under the cursor, the picture, its buttons. */
import { element, fill } from "../elements.js";
import { counted, loss as lossText, short } from "../figures.js";
import { axisText, placesAlong } from "./axis.js";
import { Chart } from "./chart.js";
import { csvOf, download } from "./csv.js";
import { aligned } from "./curve-data.js";
import { drawMarks, drawNames } from "./marks.js";
import { panelSeries } from "./panel-series.js";

/** @typedef {import("./curve-data.js").CurveData} CurveData */
/** @typedef {{ id: string, curve: CurveData }} Overlay another experiment's curve of the same metric */
/**
 * @typedef {{
 *   curves: readonly CurveData[],
 *   evaluations: CurveData | undefined,
 *   overlays: readonly Overlay[],
 *   axis: import("./axis.js").Axis,
 *   range: import("./chart.js").Range,
 *   marks: import("./marks.js").ChartMarks,
 * }} PanelContent the curves in the order of the panel's kind
 */
/**
 * @typedef {{
 *   kind: import("./panels.js").PanelKind,
 *   id: string,
 *   height: number,
 *   syncKey: string,
 *   words: import("./words.js").ChartWords,
 *   isLogarithmic: () => boolean,
 *   onZoom: (range: import("./chart.js").Range) => void,
 *   onStep?: ((microStep: number) => void) | undefined,
 * }} PanelOptions
 */

export class Panel {
  root;
  #options;
  #readout = element("p", { class: "readout" });
  #chart;
  /** @type {PanelContent | undefined} */
  #content;
  /** @type {[number[], ...(number | null)[][]]} */
  #columns = [[]];
  /** Of the points on the axis. @type {number[]} */
  #steps = [];

  /** @param {PanelOptions} options */
  constructor(options) {
    this.#options = options;
    const { kind, words, height, syncKey, isLogarithmic, onZoom, onStep } = options;
    const place = element("div", { class: "plot" });
    const buttons = element(
      "span",
      { class: "chart-buttons" },
      element("button", { type: "button", title: words.csvTitle, click: () => this.#download() }, words.csv),
      element("button", { type: "button", click: () => this.#toggleFullScreen() }, words.fullScreen),
    );
    const isSmall = kind.name !== "loss";
    const head = element("div", { class: "card-head" }, element("h2", {}, words[kind.title]), this.#readout);
    if (!isSmall) head.append(buttons);
    this.root = element("section", { class: isSmall ? "card chart small" : "card chart" }, head, place);
    if (isSmall) this.root.append(buttons);
    const series = () => panelSeries(kind, this.#content?.overlays.length ?? 0, words);
    this.#chart = new Chart(place, {
      height,
      syncKey,
      label: `${words[kind.title]}. ${words.keys}`,
      series: (colours) => series().lines(colours),
      bands: (colours) => series().bands(colours),
      draw: (chart, colours) => {
        if (this.#content === undefined) return;
        drawMarks(chart, this.#content.marks, colours);
        drawNames(chart, series().names(colours, this.#content.overlays), kind.isStacked === true);
      },
      isLogarithmic,
      isFromZero: kind.isStacked === true,
      tickText: (value) => this.#tick(value),
      axis: () => this.#content?.axis ?? "step",
      onZoom,
      onCursor: (index) => this.#read(index),
      onChoice: (index) => onStep?.(this.#steps[index] ?? 0),
    });
    place.addEventListener("keydown", () => this.#readout.setAttribute("aria-live", "polite"));
    place.addEventListener("pointermove", () => this.#readout.setAttribute("aria-live", "off"));
  }

  /** @param {PanelContent} content */
  show(content) {
    const { axis } = content;
    const isOtherAxis = this.#content !== undefined && this.#content.axis !== axis;
    this.#content = content;
    const { kind } = this.#options;
    const main = content.curves.map((curve, at) => ({
      places: placesAlong(curve, axis),
      values: kind.isStacked ? [stacked(content.curves, at)] : [curve.mean, curve.smoothed, curve.min, curve.max],
    }));
    const others = content.overlays.map(({ curve }) => ({
      places: placesAlong(curve, axis),
      values: [curve.smoothed.some((value) => value !== null) ? curve.smoothed : curve.mean],
    }));
    const evaluated =
      content.evaluations === undefined
        ? []
        : [{ places: placesAlong(content.evaluations, axis), values: [content.evaluations.mean] }];
    this.#columns = aligned([...main, ...evaluated, ...others]);
    const known = new Map(
      [...content.curves, ...(content.evaluations === undefined ? [] : [content.evaluations])].flatMap((curve) =>
        placesAlong(curve, axis).map((place, at) => /** @type {const} */ ([place, curve.steps[at] ?? 0])),
      ),
    );
    this.#steps = this.#columns[0].map((place) => known.get(place) ?? 0);
    this.#chart.show(this.#columns, content.range);
    if (isOtherAxis) this.#chart.redraw();
    this.#read(undefined);
  }

  redraw() {
    this.#chart.redraw();
  }

  /** The values under the cursor; without one the last. @param {number | null | undefined} index */
  #read(index) {
    const [places, ...columns] = this.#columns;
    const at = index ?? columns[0]?.findLastIndex((value) => value !== null) ?? -1;
    const place = places[at];
    if (place === undefined || this.#content === undefined) return fill(this.#readout, [""]);
    const { words } = this.#options;
    const { axis } = this.#content;
    const step = this.#steps[at] ?? 0;
    const along = axis === "step" || step === 0 ? "" : ` (${axisText(axis, Math.round(place))})`;
    const isFirst = this.#options.kind.name === "loss"; // the others share its cursor
    const where = step > 0 ? `${words.microStep} ${counted(step)}${along}` : axisText(axis, place);
    const parts = [...(isFirst ? [where] : []), ...this.#valueTexts(at), ...this.#warningTexts(place)];
    fill(this.#readout, [parts.join(" · ")]);
  }

  /** @param {number} at */
  #valueTexts(at) {
    const { kind, words } = this.#options;
    const { overlays = [], evaluations, curves = [] } = this.#content ?? {};
    const columns = this.#columns.slice(1);
    if (kind.isStacked) return this.#stackTexts(at);
    const texts = curves.flatMap((_, curve) => {
      const [mean = null, smoothed = null, low = null, high = null] = columns
        .slice(4 * curve, 4 * curve + 4)
        .map((column) => column?.[at] ?? null);
      const label =
        kind.curves.length > 1 || kind.name === "loss" ? `${words[kind.curves[curve]?.label ?? "loss"]} ` : "";
      return [
        ...(mean === null ? [] : [label + this.#number(mean)]),
        ...(smoothed === null ? [] : [`${words.smoothed} ${this.#number(smoothed)}`]),
        ...(kind.name !== "loss" || low === null || high === null || low === high
          ? []
          : [`${this.#number(low)} ${words.to} ${this.#number(high)}`]),
      ];
    });
    const rest = columns.slice(4 * curves.length).map((column) => column?.[at] ?? null);
    const names = [...(evaluations === undefined ? [] : [words.validation]), ...overlays.map(({ id }) => id)];
    names.forEach((name, index) => {
      const value = rest[index];
      if (value !== null && value !== undefined) texts.push(`${name} ${this.#number(value)}`);
    });
    return texts;
  }

  /** Of a stack each layer's own value. @param {number} at */
  #stackTexts(at) {
    const { kind, words } = this.#options;
    const values = this.#columns.slice(1).map((column) => column?.[at] ?? null);
    return values.flatMap((value, layer) => {
      const label = kind.curves[layer]?.label;
      if (value === null || label === undefined) return [];
      return [`${words[label]} ${short(Number((value - (values[layer - 1] ?? 0)).toPrecision(4)))} s`];
    });
  }

  /** @param {number} place */
  #warningTexts(place) {
    const { warnings = [] } = this.#content?.marks ?? {};
    return warnings.filter(({ at, to = at }) => place >= at && place <= to).map(({ text }) => `▲ ${text}`);
  }

  /** @param {number} value */
  #number(value) {
    const { kind, words } = this.#options;
    if (kind.name === "loss") return lossText(value);
    if (kind.unit === "bytes") return `${short(Number((value / 2 ** 20).toFixed(0)))} MiB`;
    const unit = kind.unit === undefined || kind.unit === "s" ? (kind.unit ?? "") : words[kind.unit];
    return `${short(value)} ${unit}`.trim();
  }

  /** @param {number} value */
  #tick(value) {
    return this.#options.kind.unit === "bytes"
      ? `${short(Number((value / 2 ** 30).toPrecision(2)))} GiB`
      : short(value);
  }

  #download() {
    const { kind, id } = this.#options;
    const { curves = [], overlays = [], evaluations } = this.#content ?? {};
    const own = curves.map((curve, at) => ({ name: kind.curves[at]?.metric ?? "", curve }));
    const validation = evaluations === undefined ? [] : [{ name: "eval/loss", curve: evaluations }];
    const others = overlays.map((overlay) => ({
      name: `${overlay.id}: ${kind.curves[0]?.metric}`,
      curve: overlay.curve,
    }));
    download(`${id}-${kind.name}.csv`, csvOf([...own, ...validation, ...others]));
  }

  #toggleFullScreen() {
    if (document.fullscreenElement === null) void this.root.requestFullscreen().catch(() => undefined);
    else void document.exitFullscreen();
  }
}

/** The sum of a layer and those below it. @param {readonly CurveData[]} curves @param {number} layer */
function stacked(curves, layer) {
  return (curves[layer]?.mean ?? []).map((_, at) =>
    curves.slice(0, layer + 1).reduce((sum, { mean }) => sum + (mean[at] ?? 0), 0),
  );
}
