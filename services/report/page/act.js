/** What the page asks the service to do. Every refusal says what is wrong, field by field. */
import { words } from "./language/words.js";

/** @typedef {{ field: string, description: string }} Violation */
/** @typedef {{ [name: string]: any }} Json */

export class Refused extends Error {
  /** @type {string} */ status;
  /** @type {readonly Violation[]} */ violations;

  /** @param {{ status?: string, message?: string, violations?: readonly Violation[] }} told */
  constructor({ status = "UNKNOWN", message = "", violations = [] }) {
    super(message);
    this.status = status;
    this.violations = violations;
  }
}

/** The same id for every try of one request makes a repetition safe; also where a page has no secure context. */
export function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} action
 * @param {Json} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<Json>}
 * @throws {Refused}
 */
export async function act(action, body, signal) {
  const response = await post(action, body, signal);
  return response.json();
}

/**
 * The answer piece by piece.
 * @param {string} action
 * @param {Json} body
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Json>}
 * @throws {Refused}
 */
export async function* actPiecewise(action, body, signal) {
  const response = await post(action, body, signal);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
    const lines = (rest + next.value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const piece = JSON.parse(line);
      if (piece.error !== undefined) throw new Refused(piece.error);
      yield piece;
    }
  }
}

/** @param {string} action @param {Json} body @param {AbortSignal | undefined} signal */
async function post(action, body, signal) {
  const response = await fetch(`/api/actions/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  }).catch((error) => {
    if (error instanceof TypeError) throw new Refused({ status: "UNAVAILABLE", message: words().away });
    throw error;
  });
  if (response.status === 401) dispatchEvent(new Event("logged-out"));
  if (response.ok) return response;
  const text = await response.text();
  throw new Refused(toldIn(text) ?? { message: text.trim() || `${response.status} ${response.statusText}` });
}

/** @param {string} text @returns {{ status?: string, message?: string, violations?: Violation[] } | undefined} */
export function toldIn(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return undefined; // the server's own words, not an action's
  }
}
