/** What a reader chose of language and look, kept for the next time; the listeners hear of a change. */

/** @typedef {"system" | "light" | "dark"} Look */

const looks = /** @type {const} */ (["system", "light", "dark"]);
/** @type {Set<() => void>} */
const listeners = new Set();

/** Language or look have changed, or the system's own look. @param {() => void} listener */
export function onChoice(listener) {
  listeners.add(listener);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);

/** @returns {Look} */
export function look() {
  const chosen = document.documentElement.dataset["look"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

/** The next one in turn. */
export function changeLook() {
  const next = looks[(looks.indexOf(look()) + 1) % looks.length] ?? "system";
  if (next === "system") delete document.documentElement.dataset["look"];
  else document.documentElement.dataset["look"] = next;
  keep("look", next);
  tell();
}

export function changeLanguage() {
  const isChinese = document.documentElement.lang.startsWith("zh");
  document.documentElement.lang = isChinese ? "en" : "zh-Hans";
  keep("language", isChinese ? "en" : "zh");
  tell();
}

/** @param {string} name @returns {string} empty: nothing was kept */
export function kept(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** A browser that keeps nothing asks again the next time. @param {string} name @param {string} value */
export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // nothing is lost but the convenience
  }
}

function tell() {
  for (const listener of listeners) listener();
}
