/** What all charts have in common: size, colours, axes, a shared cursor, zoom by drag, fingers and keys. */
import { theme } from "../theme.js";
import uPlot from "../uplot.js";
import { axisText } from "./axis.js";
import { listenToTouch } from "./gestures.js";

/** @typedef {{ from: number, to: number } | undefined} Range along the axis; undefined: all there is */
/** @typedef {import("../theme.js").Theme} Theme */
/**
 * @typedef {{
 *   height: number,
 *   syncKey: string,
 *   label: string,
 *   series: (theme: Theme) => import("../uplot.js").default.Series[],
 *   bands?: (theme: Theme) => import("../uplot.js").default.Band[],
 *   draw?: (chart: uPlot, theme: Theme) => void,
 *   isLogarithmic: () => boolean,
 *   isFromZero: boolean,
 *   tickText: (value: number) => string,
 *   axis: () => import("./axis.js").Axis,
 *   onZoom: (range: Range) => void,
 *   onCursor: (index: number | null | undefined) => void,
 *   onChoice: (index: number) => void,
 * }} ChartOptions
 */

/** A drag of fewer pixels is a click. */
const shortestDrag = 6;
const farStep = 10;

export class Chart {
  #options;
  #place;
  /** @type {uPlot | undefined} */
  #chart;
  /** @type {uPlot.AlignedData} */
  #data = [[]];
  /** @type {Range} */
  #range;

  /**
   * @param {HTMLElement} place
   * @param {ChartOptions} options
   */
  constructor(place, options) {
    this.#place = place;
    this.#options = options;
    place.tabIndex = 0;
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", options.label);
    place.addEventListener("keydown", (event) => this.#onKey(event));
    new ResizeObserver(() => this.#fit()).observe(place);
  }

  /**
   * @param {uPlot.AlignedData} data
   * @param {Range} range
   */
  show(data, range) {
    const isOther = this.#data.length !== data.length;
    this.#data = data;
    this.#range = range;
    if (this.#chart === undefined || isOther) this.redraw();
    else this.#chart.setData(data, true);
  }

  /** Anew, with the colours, the axis and the scale of now. */
  redraw() {
    this.#chart?.destroy();
    this.#chart = new uPlot(this.#settings(), this.#data, this.#place);
    listenToTouch(this.#chart.over, {
      onMove: (left) => this.#moveTo(left),
      onPinch: (left, right) => this.#zoomTo(left, right),
    });
  }

  #fit() {
    this.#chart?.setSize({ width: this.#place.clientWidth, height: this.#height });
  }

  /** Of the whole screen a chart has what its head and foot leave. */
  get #height() {
    const isWhole = document.fullscreenElement?.contains(this.#place) ?? false;
    return isWhole ? Math.max(200, innerHeight - 120) : this.#options.height;
  }

  /** @returns {uPlot.Options} */
  #settings() {
    const { series, bands, draw, onCursor, syncKey } = this.#options;
    const colours = theme();
    return {
      width: Math.max(200, this.#place.clientWidth),
      height: this.#height,
      series: [{}, ...series(colours)],
      ...(bands && { bands: bands(colours) }),
      legend: { show: false },
      scales: {
        x: { time: false, range: (_chart, low, high) => this.#shownRange(low, high) },
        y: this.#valueScale(),
      },
      axes: this.#axes(colours),
      cursor: {
        sync: { key: syncKey },
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 7 },
        bind: { dblclick: () => () => (this.#options.onZoom(undefined), null) },
      },
      hooks: {
        setSelect: [(chart) => this.#onSelect(chart)],
        setCursor: [(chart) => onCursor(chart.cursor.idx)],
        ...(draw && { draw: [(/** @type {uPlot} */ chart) => draw(chart, colours)] }),
      },
    };
  }

  /** @returns {uPlot.Scale} */
  #valueScale() {
    const { isLogarithmic, isFromZero } = this.#options;
    if (isLogarithmic()) return { distr: 3, log: 10, range: (_chart, low, high) => [low * 0.96, high * 1.04] };
    return isFromZero ? { range: (_chart, _low, high) => [0, (high || 1) * 1.05] } : {};
  }

  /** @param {Theme} colours @returns {uPlot.Axis[]} */
  #axes({ soft, line }) {
    const axis = {
      stroke: soft,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const along = (/** @type {number} */ tick) => axisText(this.#options.axis(), tick);
    return [
      { ...axis, size: 30, values: (_chart, ticks) => ticks.map(along) },
      {
        ...axis,
        size: 56,
        values: (_chart, ticks) => ticks.map((tick) => (tick === null ? "" : this.#options.tickText(tick))),
      },
    ];
  }

  /** @param {number} low @param {number} high @returns {[number, number]} */
  #shownRange(low, high) {
    if (this.#range !== undefined) return [this.#range.from, this.#range.to];
    return low === null || low === high ? [Math.max(0, (low ?? 1) - 1), (high ?? 1) + 1] : [low, high];
  }

  /** @param {uPlot} chart */
  #onSelect(chart) {
    const { left, width } = chart.select;
    if (width < shortestDrag) return;
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#zoomTo(left, left + width);
  }

  /** @param {number} left @param {number} right in pixels of what is shown */
  #zoomTo(left, right) {
    const chart = this.#chart;
    if (chart === undefined) return;
    const [from, to] = [left, right].map((place) => chart.posToVal(place, "x"));
    if (from !== undefined && to !== undefined && to > from) this.#options.onZoom({ from: Math.max(0, from), to });
  }

  /** @param {number} left */
  #moveTo(left) {
    const chart = this.#chart;
    if (chart === undefined) return;
    const at = { left: Math.max(0, Math.min(left, chart.over.clientWidth)), top: 0 };
    chart.setCursor(at, true);
    for (const other of uPlot.sync(this.#options.syncKey).plots) if (other !== chart) other.setCursor(at, true);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#chart === undefined) return;
    const width = this.#chart.over.clientWidth;
    const far = event.shiftKey ? farStep : 1;
    /** @type {Readonly<Record<string, () => void>>} */
    const keys = {
      ArrowLeft: () => this.#walk(-far),
      ArrowRight: () => this.#walk(far),
      Home: () => this.#walk(Number.NEGATIVE_INFINITY),
      End: () => this.#walk(Number.POSITIVE_INFINITY),
      "+": () => this.#zoomTo(this.#cursorLeft() - width / 4, this.#cursorLeft() + width / 4),
      "=": () => this.#zoomTo(this.#cursorLeft() - width / 4, this.#cursorLeft() + width / 4),
      "-": () => this.#zoomTo(-width / 2, 1.5 * width),
      0: () => this.#options.onZoom(undefined),
      Enter: () => this.#options.onChoice(this.#chart?.cursor.idx ?? this.#data[0].length - 1),
    };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** From point to point. @param {number} points */
  #walk(points) {
    const places = this.#data[0];
    const from = this.#chart?.cursor.idx ?? (points > 0 ? -1 : places.length);
    const place = places[Math.max(0, Math.min(places.length - 1, from + points))];
    if (place !== undefined) this.#moveTo(this.#chart?.valToPos(place, "x") ?? 0);
  }

  #cursorLeft() {
    const { left = -1 } = this.#chart?.cursor ?? {};
    return left >= 0 ? left : (this.#chart?.over.clientWidth ?? 0) / 2;
  }
}
