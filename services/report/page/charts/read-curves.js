/** Asks the service for curves: thinned there, so that a run of any length is a few thousand numbers here. */

/**
 * @param {string} id
 * @param {readonly string[]} metrics
 * @param {{ from: number, to: number, points: number }} range both ends included; 0: from the beginning, to the end
 * @returns {Promise<import("./curve-data.js").Columns[]>} one for each metric, in their order
 */
export async function readCurves(id, metrics, { from, to, points }) {
  const parameters = new URLSearchParams(metrics.map((metric) => ["metric", metric]));
  for (const [name, value] of Object.entries({ from, to, points })) parameters.set(name, String(value));
  const response = await fetch(`/api/experiments/${encodeURIComponent(id)}/curves?${parameters}`);
  if (!response.ok) throw new Error((await response.text()).trim() || `${response.status} ${response.statusText}`);
  return response.json();
}
