/** What the page asks the service for. */
import { toldIn } from "./act.js";

/** @typedef {{ targets: number, met: number, missed: number }} VerdictCounts */
/**
 * @typedef {{
 *   id: string, title: string, purpose: string, state: string, isFinal: boolean, reason?: string, message: string,
 *   createdMs?: number, endedMs?: number, microStep: number, totalMicroSteps: number, optimizerStep: number,
 *   epoch: number, epochs: number, lossNatsPerToken?: number, tokensPerSecond?: number, secondsLeft?: number,
 *   lastStepMs?: number, verdicts?: VerdictCounts,
 * }} Overview
 */
/** @typedef {{ name: string, microStep: number, isRemoved: boolean }} KnownCheckpoint */
/**
 * @typedef {{
 *   numbers: Readonly<Record<string, string>>, environment: string, parameters: string, lossTarget?: number,
 *   stepsPerEpoch: number, learningRate?: number, checkpoints: KnownCheckpoint[],
 *   warnings: { kind: string, firstMicroStep: number, lastMicroStep: number }[],
 *   actions: { name: string, text: string, isDone: boolean }[],
 * }} Detail
 */

/** What was asked for is not there. */
export class NotThere extends Error {}

/** @returns {Promise<Overview[]>} newest first */
export async function experiments() {
  return (await get("/api/experiments")).json();
}

/** @param {string} id @returns {Promise<{ overview: Overview, detail: Detail }>} @throws {NotThere} */
export async function experiment(id) {
  return (await get(`${dataOf(id)}`)).json();
}

/**
 * Sections of the record as HTML, in the order of the record.
 * @param {string} id
 * @param {string} language
 * @param {readonly string[] | undefined} ids all when left out
 * @returns {Promise<string>}
 */
export async function sections(id, language, ids) {
  const parameters = new URLSearchParams({ language, ...(ids && { ids: ids.join(",") }) });
  return (await get(`${dataOf(id)}/sections?${parameters}`)).text();
}

/**
 * Experiments side by side, as sections of HTML; the first one is the baseline.
 * @param {readonly string[]} ids
 * @param {string} language
 * @returns {Promise<string>}
 */
export async function comparison(ids, language) {
  return (await get(`/api/comparison?${new URLSearchParams({ ids: ids.join(","), language })}`)).text();
}

/** As a file that can be started again. @param {string} id @returns {Promise<string>} */
export async function recipe(id) {
  return (await get(`/experiments/${encodeURIComponent(id)}/recipe.yaml`)).text();
}

/** @param {string} id */
function dataOf(id) {
  return `/api/experiments/${encodeURIComponent(id)}`;
}

/** @param {string} path */
async function get(path) {
  const response = await fetch(path);
  if (response.status === 401) dispatchEvent(new Event("logged-out"));
  if (response.ok) return response;
  const text = await response.text();
  const message = (toldIn(text)?.message ?? text.trim()) || `${response.status} ${response.statusText}`;
  throw response.status === 404 ? new NotThere(message) : new Error(message);
}
