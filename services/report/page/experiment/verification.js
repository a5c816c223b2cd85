/** The record verified on demand: every check with what was looked at, and what differs, place by place. */
import { act } from "../act.js";
import { element, fill } from "../elements.js";
import { words } from "../language/words.js";
import { refusal } from "../refusal.js";

/** @typedef {import("../act.js").Json} Json */

const signs = /** @type {const} */ ({
  OUTCOME_PASSED: { sign: "✓", tone: "good" },
  OUTCOME_FAILED: { sign: "✗", tone: "bad" },
  OUTCOME_SKIPPED: { sign: "–", tone: "quiet" },
});

/** @param {string} id @returns {{ button: HTMLButtonElement, found: HTMLElement }} */
export function verification(id) {
  const found = element("div", { class: "found", role: "status" });
  const button = element("button", { type: "button" }, words().verify);
  button.addEventListener("click", async () => {
    button.disabled = true;
    fill(found, [element("p", { class: "none" }, words().working)]);
    try {
      fill(found, [checks(await act("verify", { name: `experiments/${id}/report` }))]);
    } catch (error) {
      fill(found, [refusal(error)]);
    } finally {
      button.disabled = false;
    }
  });
  return { button, found };
}

/** @param {Json} answer */
function checks({ sound = false, checks: all = [] }) {
  const { verified, notVerified } = words();
  return element(
    "section",
    { class: "card" },
    element("h2", { class: sound ? "good" : "bad" }, sound ? `✓ ${verified}` : `✗ ${notVerified}`),
    element("ul", { class: "checks" }, ...all.map(check)),
  );
}

/** @param {Json} found */
function check({ name, outcome, evidence = "", differences = [] }) {
  const { sign, tone } = signs[/** @type {keyof typeof signs} */ (outcome)] ?? { sign: "?", tone: "quiet" };
  return element(
    "li",
    {},
    element("span", { class: tone }, `${sign} ${name}`),
    ` – ${evidence}`,
    differences.length > 0 && element("ul", {}, ...differences.map(difference)),
  );
}

/** @param {Json} found */
function difference({ place, recorded = "", computed = "" }) {
  const code = (/** @type {string} */ text) => element("code", {}, text || "–");
  return element("li", {}, code(place), ": ", code(recorded), " → ", code(computed));
}
