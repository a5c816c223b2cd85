/** Fields in which two recipes differ. */
import { element } from "./elements.js";
import { words } from "./language/words.js";

/** @param {readonly { field: string, parent: string, fork: string }[]} differences */
export function differenceTable(differences) {
  const { field, before, after, noDifferences } = words();
  if (differences.length === 0) return element("p", { class: "none" }, noDifferences);
  const cell = (/** @type {string} */ text) => element("td", {}, element("code", {}, text || "–"));
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": field },
    element(
      "table",
      { class: "data" },
      element(
        "thead",
        {},
        element("tr", {}, ...[field, before, after].map((name) => element("th", { scope: "col" }, name))),
      ),
      element(
        "tbody",
        {},
        ...differences.map((row) => element("tr", {}, cell(row.field), cell(row.parent), cell(row.fork))),
      ),
    ),
  );
}
