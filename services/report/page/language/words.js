/** The words of the page in the language that was chosen; `first-look.js` has set it before anything is drawn. */
import { en } from "./en.js";
import { zh } from "./zh.js";

/** @typedef {typeof en} Words */
/** @typedef {"en" | "zh"} Language */

/** @returns {Language} */
export function language() {
  return document.documentElement.lang.startsWith("zh") ? "zh" : "en";
}

export function words() {
  return language() === "zh" ? zh : en;
}
