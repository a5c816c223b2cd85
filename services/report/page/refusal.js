/** What went wrong, where it was asked for: the message, or each faulty field with what is wrong with it. */
import { Refused } from "./act.js";
import { element } from "./elements.js";

/** @param {unknown} error */
export function refusal(error) {
  const violations = error instanceof Refused ? error.violations : [];
  if (violations.length === 0)
    return element("p", { class: "refusal", role: "alert" }, error instanceof Error ? error.message : String(error));
  return element(
    "ul",
    { class: "refusal", role: "alert" },
    ...violations.map(({ field, description }) =>
      element("li", {}, field && element("code", {}, field), field && " ", description),
    ),
  );
}
