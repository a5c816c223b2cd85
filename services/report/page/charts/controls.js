/** What the charts can be told: which part of the run, along what, how smooth, on which scale. */
import { element } from "../elements.js";
import { strongest, usualPlace, weightAt } from "./smoothing.js";

/** @typedef {import("./axis.js").Axis} Axis */

export class Controls {
  root;
  #words;
  #shares;
  #axis;
  #logarithmic = element("input", { type: "checkbox", id: "logarithmic" });
  #slider = element("input", { type: "range", min: 0, max: strongest, step: 1, value: 10, id: "smoothing" });
  #sliderText = element("output", { for: "smoothing" });
  #isMoved = false;

  /**
   * @param {import("./words.js").ChartWords} words
   * @param {{ onShare: (share: number) => void, onAxis: () => void, onSmoothing: () => void, onScale: () => void }} listeners
   */
  constructor(words, { onShare, onAxis, onSmoothing, onScale }) {
    this.#words = words;
    this.#shares = shareButtons(words, onShare);
    const axes = /** @type {const} */ ([
      ["step", words.axisStep],
      ["tokens", words.axisTokens],
      ["time", words.axisTime],
    ]);
    this.#axis = element("select", { id: "axis" }, ...axes.map(([value, text]) => element("option", { value }, text)));
    this.#axis.addEventListener("change", onAxis);
    this.#logarithmic.addEventListener("change", onScale);
    this.#slider.addEventListener("input", () => {
      this.#isMoved = true;
      this.#nameSmoothing();
    });
    this.#slider.addEventListener("change", onSmoothing);
    this.root = element(
      "div",
      { class: "controls" },
      this.#shares.root,
      element("label", { for: "axis" }, words.axis),
      this.#axis,
      element("label", { for: "smoothing" }, words.smoothing),
      this.#slider,
      this.#sliderText,
      element("label", { class: "check" }, this.#logarithmic, words.logarithmic),
      element("p", { class: "hint" }, words.hint),
    );
    this.#nameSmoothing();
  }

  /** @returns {Axis} */
  get axis() {
    const { value } = this.#axis;
    return value === "tokens" || value === "time" ? value : "step";
  }

  get isLogarithmic() {
    return this.#logarithmic.checked;
  }

  /** Weight of what was before in the moving average; 0: none. */
  get smoothing() {
    return weightAt(Number(this.#slider.value));
  }

  /** Until somebody moves the slider it follows the length of the run. @param {number} steps @returns {boolean} whether it moved */
  suit(steps) {
    const place = String(usualPlace(steps));
    if (this.#isMoved || steps === 0 || this.#slider.value === place) return false;
    this.#slider.value = place;
    this.#nameSmoothing();
    return true;
  }

  /** @param {number | undefined} share which of the range buttons is pressed; undefined: none */
  press(share) {
    this.#shares.press(share);
  }

  #nameSmoothing() {
    const weight = this.smoothing;
    this.#sliderText.value = weight === 0 ? this.#words.off : String(Number(weight.toFixed(4)));
  }
}

/** @param {import("./words.js").ChartWords} words @param {(share: number) => void} onShare */
function shareButtons(words, onShare) {
  const shares = /** @type {const} */ ([
    [words.all, 1],
    [words.lastHalf, 0.5],
    [words.lastTenth, 0.1],
  ]);
  const buttons = shares.map(([name, share]) =>
    element("button", { type: "button", click: () => onShare(share) }, name),
  );
  /** @param {number | undefined} pressed */
  const press = (pressed) =>
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(shares[index]?.[1] === pressed)));
  press(1);
  return { root: element("div", { class: "segments", role: "group", "aria-label": words.range }, ...buttons), press };
}
