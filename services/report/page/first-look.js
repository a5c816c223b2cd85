// Language and look before anything is drawn: what was chosen here before, else what the browser says. No module, since those come later.
(() => {
  const root = document.documentElement;
  /** @param {string} name */
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const language = kept("language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  root.lang = language === "zh" ? "zh-Hans" : "en";
  const look = kept("look");
  if (look === "light" || look === "dark") root.dataset["look"] = look;
})();
