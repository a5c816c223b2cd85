/** The course of the loss in the size of a word. It is asked for when it comes into sight, and again now and then while it moves. */
import { readCurves } from "../charts/read-curves.js";

const width = 96;
const height = 22;
const points = 48;
const namespace = "http://www.w3.org/2000/svg";

/** @type {Map<Element, () => void>} */
const waiting = new Map();
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) waiting.get(target)?.();
});

export class Sparkline {
  root = document.createElementNS(namespace, "svg");
  #line = document.createElementNS(namespace, "polyline");
  #id;
  #lastStep = -1;
  #askedFor = -1;
  #isAsking = false;

  /** @param {string} id */
  constructor(id) {
    this.#id = id;
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.root.setAttribute("preserveAspectRatio", "none"); // as wide as its place
    this.root.setAttribute("class", "sparkline");
    this.root.setAttribute("aria-hidden", "true"); // the loss stands beside it in digits
    this.root.append(this.#line);
    waiting.set(this.root, () => void this.#ask());
    sight.observe(this.root);
  }

  /** The last micro-step that there is. @param {number} microStep */
  reach(microStep) {
    const isMuchFurther = microStep > this.#lastStep && microStep >= this.#askedFor * 1.02;
    const isBack = microStep < this.#askedFor;
    this.#lastStep = microStep;
    if (!isMuchFurther && !isBack) return;
    sight.unobserve(this.root); // observed anew, it is told again whether it is in sight
    sight.observe(this.root);
  }

  async #ask() {
    if (this.#isAsking || this.#lastStep <= 0 || this.#askedFor === this.#lastStep) return;
    this.#isAsking = true;
    const asked = this.#lastStep;
    try {
      const [loss] = await readCurves(this.#id, ["train/loss"], { from: 0, to: 0, points });
      this.#askedFor = asked;
      this.#line.setAttribute("points", pointsOf(loss?.mean ?? []));
    } catch {
      // the list has its numbers without it, and the next step asks again
    } finally {
      this.#isAsking = false;
    }
  }
}

/** From left to right in equal distances, the smallest value at the bottom. @param {readonly number[]} values */
export function pointsOf(values) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const x = (/** @type {number} */ index) => 1 + ((width - 2) * index) / Math.max(1, finite.length - 1);
  const y = (/** @type {number} */ value) => height - 2 - ((height - 4) * (value - low)) / (high - low || 1);
  return finite.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}
