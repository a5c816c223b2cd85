/**
 * A text that becomes an experiment in two steps: it is checked, and what would come of it is shown; then it is started. A change of
 * the text takes the second step back, and makes it another request.
 */
import { act, requestId } from "./act.js";
import { element, fill } from "./elements.js";
import { words } from "./language/words.js";
import { go } from "./navigation.js";
import { refusal } from "./refusal.js";

/**
 * @typedef {{
 *   text: HTMLTextAreaElement,
 *   check: string, start: string,
 *   checkLabel: string, startLabel: string,
 *   more: () => import("./act.js").Json,
 *   show: (checked: import("./act.js").Json) => import("./elements.js").Child[],
 *   onStarted?: () => void,
 * }} CheckedFormOptions `more`: what is sent beside the text
 */

/** @param {CheckedFormOptions} options @returns {HTMLFormElement} */
export function checkedForm(options) {
  const check = element("button", { type: "submit" }, options.checkLabel);
  const start = element("button", { type: "button", class: "primary", disabled: true }, options.startLabel);
  const found = element("div", { class: "found", "aria-live": "polite" });
  /** @type {import("./act.js").Json | undefined} */
  let request;

  const takeBack = () => {
    request = undefined;
    start.disabled = true;
  };
  const attempt = async (/** @type {HTMLButtonElement} */ button, /** @type {() => Promise<void>} */ work) => {
    button.disabled = true;
    fill(found, [element("p", { class: "none" }, words().working)]);
    try {
      await work();
    } catch (error) {
      fill(found, [refusal(error)]);
      button.disabled = false;
    }
  };
  const form = element(
    "form",
    { class: "stack" },
    options.text,
    element("div", { class: "buttons" }, check, start),
    found,
  );
  form.addEventListener("input", takeBack);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    takeBack();
    void attempt(check, async () => {
      const checked = await act(options.check, { text: options.text.value, ...options.more() });
      request = { ...checked["request"], requestId: requestId() };
      fill(found, options.show(checked));
      check.disabled = false;
      start.disabled = false;
      start.focus();
    });
  });
  start.addEventListener("click", () => {
    if (request === undefined) return;
    const asked = request;
    void attempt(start, async () => {
      const { name } = await act(options.start, asked);
      options.onStarted?.();
      go(`/${name}`);
    });
  });
  return form;
}
