/** A dialog over the page: it has the focus, Escape closes it, and the focus goes back to where it was. */
import { element } from "./elements.js";
import { words } from "./language/words.js";

/**
 * @param {string} title
 * @param {...import("./elements.js").Child} content
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, ...content) {
  const close = element("button", { type: "button", class: "close", click: () => dialog.close() }, "×");
  close.setAttribute("aria-label", words().close);
  const head = element("div", { class: "dialog-head" }, element("h2", { id: "dialog-title" }, title), close);
  const dialog = element("dialog", { "aria-labelledby": "dialog-title" }, head, ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
