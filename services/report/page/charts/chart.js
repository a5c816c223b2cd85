/** What all charts have in common: size, colours, axes, a shared cursor, zoom by drag. */
import { short } from "../figures.js";
import { theme } from "../theme.js";
import uPlot from "../uplot.js";

/** @typedef {{ from: number, to: number } | undefined} Range in micro-steps; undefined: all there are */
/**
 * @typedef {{
 *   height: number,
 *   series: (theme: import("../theme.js").Theme) => import("../uplot.js").default.Series[],
 *   bands?: (theme: import("../theme.js").Theme) => import("../uplot.js").default.Band[],
 *   draw?: (chart: uPlot, theme: import("../theme.js").Theme) => void,
 *   isLogarithmic?: () => boolean,
 *   onZoom: (range: Range) => void,
 *   onCursor?: (index: number | null | undefined) => void,
 * }} ChartOptions
 */

const cursorKey = "micro-steps";
/** A drag of fewer pixels is a click. */
const shortestDrag = 6;

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
    new ResizeObserver(() => this.#fit()).observe(place);
  }

  /**
   * @param {uPlot.AlignedData} data
   * @param {Range} range
   */
  show(data, range) {
    this.#data = data;
    this.#range = range;
    if (this.#chart === undefined) this.redraw();
    else this.#chart.setData(data, true);
  }

  /** Anew, with the colours and the scale of now. */
  redraw() {
    this.#chart?.destroy();
    this.#chart = new uPlot(this.#settings(), this.#data, this.#place);
  }

  #fit() {
    this.#chart?.setSize({ width: this.#place.clientWidth, height: this.#options.height });
  }

  /** @returns {uPlot.Options} */
  #settings() {
    const { height, series, bands, draw, isLogarithmic, onCursor } = this.#options;
    const colours = theme();
    const axis = {
      stroke: colours.soft,
      grid: { stroke: colours.line, width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: Math.max(200, this.#place.clientWidth),
      height,
      series: [{}, ...series(colours)],
      ...(bands && { bands: bands(colours) }),
      legend: { show: false },
      scales: {
        x: { time: false, range: (_chart, low, high) => this.#shownRange(low, high) },
        y: isLogarithmic?.() ? { distr: 3, log: 10, range: (_chart, low, high) => [low * 0.96, high * 1.04] } : {},
      },
      axes: [
        {
          ...axis,
          size: 30,
          values: (_chart, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? short(tick) : "")),
        },
        { ...axis, size: 56, values: (_chart, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick))) },
      ],
      cursor: {
        sync: { key: cursorKey },
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 7 },
        bind: { dblclick: () => () => (this.#options.onZoom(undefined), null) },
      },
      hooks: {
        setSelect: [(chart) => this.#zoom(chart)],
        ...(draw && { draw: [(/** @type {uPlot} */ chart) => draw(chart, colours)] }),
        ...(onCursor && { setCursor: [(/** @type {uPlot} */ chart) => onCursor(chart.cursor.idx)] }),
      },
    };
  }

  /** @param {number} low @param {number} high @returns {[number, number]} */
  #shownRange(low, high) {
    if (this.#range !== undefined) return [this.#range.from, this.#range.to];
    return low === null || low === high ? [Math.max(0, (low ?? 1) - 1), (high ?? 1) + 1] : [low, high];
  }

  /** @param {uPlot} chart */
  #zoom(chart) {
    const { left, width } = chart.select;
    if (width < shortestDrag) return;
    const [from, to] = [left, left + width].map((place) => Math.round(chart.posToVal(place, "x")));
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (from !== undefined && to !== undefined && to > from) this.#options.onZoom({ from: Math.max(1, from), to });
  }
}
