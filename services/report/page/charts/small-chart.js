/** One curve in a small card: learning rate, gradient norm, speed. */

import { element, fill } from "../elements.js";
import { counted, short } from "../figures.js";
import { Chart } from "./chart.js";
import { aligned } from "./curve-data.js";

export class SmallChart {
  root = element("section", { class: "card chart small" });
  #readout = element("p", { class: "readout" });
  #chart;
  /** @type {[number[], ...(number | null)[][]]} */
  #columns = [[]];
  #unit;

  /** @param {{ title: string, unit: string, onZoom: (range: import("./chart.js").Range) => void }} options */
  constructor({ title, unit, onZoom }) {
    this.#unit = unit;
    const place = element("div", { class: "plot" });
    this.root.append(element("div", { class: "card-head" }, element("h2", {}, title), this.#readout), place);
    this.#chart = new Chart(place, {
      height: 170,
      series: ({ accent }) => [
        { label: title, stroke: accent, width: 1.5, spanGaps: true, points: { show: false } },
        { label: "smallest", stroke: "transparent", width: 0, spanGaps: true, points: { show: false } },
        { label: "largest", stroke: "transparent", width: 0, spanGaps: true, points: { show: false } },
      ],
      bands: ({ band }) => [{ series: [3, 2], fill: band }],
      onZoom,
      onCursor: (index) => this.#read(index),
    });
  }

  /**
   * @param {import("./curve-data.js").CurveData} curve
   * @param {import("./chart.js").Range} range
   */
  show(curve, range) {
    this.#columns = aligned([{ steps: curve.steps, values: [curve.mean, curve.min, curve.max] }]);
    this.#chart.show(this.#columns, range);
    this.#read(undefined);
  }

  redraw() {
    this.#chart.redraw();
  }

  /** @param {number | null | undefined} index */
  #read(index) {
    const [steps, mean] = this.#columns;
    const at = index ?? (steps?.length ?? 0) - 1;
    const step = steps?.[at];
    fill(this.#readout, [
      step === undefined
        ? ""
        : [`${short(mean?.[at])} ${this.#unit}`.trim(), `micro-step ${counted(step)}`].join(" · "),
    ]);
  }
}
