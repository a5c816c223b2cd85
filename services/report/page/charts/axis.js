/** What a chart goes along: micro-steps, tokens or time; and how one of them is found from another. */
import { duration, short } from "../figures.js";

/** @typedef {"step" | "tokens" | "time"} Axis */
/** @typedef {{ readonly steps: readonly number[], readonly tokens: readonly number[], readonly seconds: readonly number[] }} Places */

/**
 * Where the points of a curve lie, never falling: a clock that was set back would fold the chart.
 * @param {Places} places
 * @param {Axis} axis
 * @returns {number[]}
 */
export function placesAlong(places, axis) {
  if (axis === "step") return [...places.steps];
  let highest = Number.NEGATIVE_INFINITY;
  return (axis === "tokens" ? places.tokens : places.seconds).map((place) => (highest = Math.max(highest, place)));
}

/**
 * The place that belongs to a number of the other row; between two points by their distance.
 * @param {readonly number[]} from ascending
 * @param {readonly number[]} to in the same order
 * @param {number} value
 */
export function corresponding(from, to, value) {
  const next = from.findIndex((place) => place >= value);
  if (next <= 0) return next === 0 ? Number(to[0]) : Number(to.at(-1) ?? 0);
  const [low, high] = [Number(from[next - 1]), Number(from[next])];
  const share = (value - low) / (high - low);
  return Number(to[next - 1]) + share * (Number(to[next]) - Number(to[next - 1]));
}

/** @param {Axis} axis @param {number} value */
export function axisText(axis, value) {
  if (axis === "time") return duration(value);
  if (axis === "tokens" && value >= 1e6) return `${short(value / 1e6)} M`;
  return Number.isInteger(value) ? short(value) : "";
}
