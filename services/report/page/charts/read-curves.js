/** Asks the service for curves: thinned there, so that a run of any length is a few thousand numbers here. */
import { NotThere } from "../api.js";

/** @typedef {{ from: number, to: number, points: number, smoothing?: number }} CurveRange both ends included; 0: from the beginning, to the end */

/**
 * @param {string} id
 * @param {readonly string[]} metrics
 * @param {CurveRange} range
 * @returns {Promise<import("./curve-data.js").Columns[]>} one for each metric, in their order
 * @throws {NotThere} when nothing of the experiment has come
 */
export async function readCurves(id, metrics, range) {
  const parameters = new URLSearchParams(metrics.map((metric) => ["metric", metric]));
  for (const [name, value] of Object.entries(range)) parameters.set(name, String(value));
  const response = await fetch(`/api/experiments/${encodeURIComponent(id)}/curves?${parameters}`);
  if (response.ok) return response.json();
  const message = (await response.text()).trim() || `${response.status} ${response.statusText}`;
  throw response.status === 404 ? new NotThere(message) : new Error(message);
}
