/** The loss: raw behind, smoothed before, a band from smallest to largest, the validation loss of checkpoints as rings. */

import { element, fill } from "../elements.js";
import { counted, loss } from "../figures.js";
import { Chart } from "./chart.js";
import { aligned } from "./curve-data.js";
import { smoothed } from "./smoothing.js";

/** @typedef {import("./curve-data.js").CurveData} CurveData */
/** @typedef {{ steps: readonly number[], loss: readonly number[] }} Evaluations */

export class LossChart {
  root = element("section", { class: "card chart" });
  #readout = element("p", { class: "readout" });
  #slider = element("input", { type: "range", min: 0, max: 98, step: 1, value: 60, id: "smoothing" });
  #sliderText = element("output", { for: "smoothing" });
  #logarithmic = element("input", { type: "checkbox", id: "logarithmic" });
  #ranges;
  #chart;
  /** @type {[number[], ...(number | null)[][]]} */
  #columns = [[]];
  /** @type {{ curve: CurveData, evaluations: Evaluations, range: import("./chart.js").Range } | undefined} */
  #shown;
  /** Lines of the picture that are no curve. @type {{ target: number | undefined, epochEnds: readonly number[] }} */
  #marks = { target: undefined, epochEnds: [] };

  /** @param {{ onZoom: (range: import("./chart.js").Range) => void, onShare: (share: number) => void }} listeners */
  constructor({ onZoom, onShare }) {
    const place = element("div", { class: "plot" });
    this.#ranges = rangeButtons(onShare);
    this.root.append(
      element("div", { class: "card-head" }, element("h2", {}, "Loss"), this.#readout),
      place,
      element(
        "div",
        { class: "controls" },
        this.#ranges.root,
        element("label", { for: "smoothing" }, "Smoothing"),
        this.#slider,
        this.#sliderText,
        element("label", { class: "check" }, this.#logarithmic, "Logarithmic"),
        element("p", { class: "hint" }, "Drag to zoom, double-click for all. Rings: validation loss."),
      ),
    );
    this.#chart = new Chart(place, {
      height: 360,
      series: lossSeries,
      bands: ({ band }) => [{ series: [4, 3], fill: band }],
      draw: (chart, colours) => this.#drawMarks(chart, colours),
      isLogarithmic: () => this.#logarithmic.checked,
      onZoom,
      onCursor: (index) => this.#read(index),
    });
    this.#slider.addEventListener("input", () => this.#refresh());
    this.#logarithmic.addEventListener("change", () => this.#chart.redraw());
    this.#nameSmoothing();
  }

  /**
   * @param {CurveData} curve
   * @param {Evaluations} evaluations
   * @param {import("./chart.js").Range} range
   */
  show(curve, evaluations, range) {
    this.#shown = { curve, evaluations, range };
    this.#refresh();
  }

  /** @param {{ target: number | undefined, epochEnds: readonly number[] }} marks */
  mark(marks) {
    this.#marks = marks;
  }

  /** @param {number | undefined} share which of the range buttons is pressed; undefined: none */
  press(share) {
    this.#ranges.press(share);
  }

  redraw() {
    this.#chart.redraw();
  }

  #refresh() {
    this.#nameSmoothing();
    if (this.#shown === undefined) return;
    const { curve, evaluations, range } = this.#shown;
    const smooth = smoothed(curve.mean, Number(this.#slider.value) / 100);
    this.#columns = aligned([
      { steps: curve.steps, values: [curve.mean, smooth, curve.min, curve.max] },
      { steps: evaluations.steps, values: [evaluations.loss] },
    ]);
    this.#chart.show(this.#columns, range);
    this.#read(undefined);
  }

  #nameSmoothing() {
    this.#sliderText.value = this.#slider.value === "0" ? "off" : (Number(this.#slider.value) / 100).toFixed(2);
  }

  /** The values under the cursor; without one the last. @param {number | null | undefined} index */
  #read(index) {
    const [steps, mean, smooth, low, high, validation] = this.#columns;
    const at = index ?? mean?.findLastIndex((value) => value !== null) ?? -1;
    const step = steps?.[at];
    if (step === undefined) return fill(this.#readout, [""]);
    const value = (/** @type {(number | null)[] | undefined} */ column) => column?.[at] ?? undefined;
    const parts = [`micro-step ${counted(step)}`];
    if (value(mean) !== undefined) parts.push(`loss ${loss(value(mean))}`);
    if (value(smooth) !== undefined && this.#slider.value !== "0") parts.push(`smoothed ${loss(value(smooth))}`);
    if (value(low) !== value(high)) parts.push(`${loss(value(low))} to ${loss(value(high))}`);
    if (value(validation) !== undefined) parts.push(`validation ${loss(value(validation))}`);
    fill(this.#readout, [parts.join(" · ")]);
  }

  /**
   * @param {import("../uplot.js").default} chart
   * @param {import("../theme.js").Theme} colours
   */
  #drawMarks(chart, colours) {
    const { ctx, bbox, scales } = chart;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.lineWidth = ratio;
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.fillStyle = colours.soft;
    ctx.textAlign = "right";
    ctx.strokeStyle = colours.soft;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    this.#marks.epochEnds.forEach((step, index) => {
      if (step <= (scales["x"]?.min ?? 0) || step >= (scales["x"]?.max ?? 0)) return;
      const x = Math.round(chart.valToPos(step, "x", true));
      line(ctx, x, bbox.top, x, bbox.top + bbox.height);
      ctx.fillText(`epoch ${index + 1}`, x - 5 * ratio, bbox.top + 12 * ratio);
    });
    const { target } = this.#marks;
    if (target !== undefined && target > (scales["y"]?.min ?? 0) && target < (scales["y"]?.max ?? 0)) {
      const y = Math.round(chart.valToPos(target, "y", true));
      ctx.strokeStyle = colours.good;
      ctx.setLineDash([2 * ratio, 4 * ratio]);
      line(ctx, bbox.left, y, bbox.left + bbox.width, y);
      ctx.fillStyle = colours.good;
      ctx.fillText(`target ${target}`, bbox.left + bbox.width - 4 * ratio, y - 5 * ratio);
    }
    ctx.restore();
  }
}

/** In the order of the columns: raw, smoothed, smallest, largest, validation. @param {import("../theme.js").Theme} colours */
function lossSeries({ faint, accent, mark, paper }) {
  const hidden = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
  return [
    { label: "loss", stroke: faint, width: 1, spanGaps: true, points: { show: false } },
    { label: "smoothed", stroke: accent, width: 2, spanGaps: true, points: { show: false } },
    { label: "smallest", ...hidden },
    { label: "largest", ...hidden },
    {
      label: "validation",
      stroke: mark,
      width: 0,
      points: { show: true, size: 10, width: 2, stroke: mark, fill: paper },
    },
  ];
}

/** @param {(share: number) => void} onShare */
function rangeButtons(onShare) {
  const shares = /** @type {const} */ ([
    ["All", 1],
    ["Last half", 0.5],
    ["Last tenth", 0.1],
  ]);
  const buttons = shares.map(([name, share]) =>
    element("button", { type: "button", click: () => onShare(share) }, name),
  );
  /** @param {number | undefined} pressed */
  const press = (pressed) =>
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(shares[index]?.[1] === pressed)));
  press(1);
  return { root: element("div", { class: "segments", role: "group", "aria-label": "Range" }, ...buttons), press };
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
