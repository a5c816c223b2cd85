/** The keys of the page, in a dialog. */
import { openDialog } from "./dialog.js";
import { element } from "./elements.js";
import { words } from "./language/words.js";

export function openKeyHelp() {
  const { keysTitle, keyMeanings } = words();
  const rows = Object.entries(keyMeanings).map(([keys, meaning]) =>
    element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, meaning)),
  );
  openDialog(keysTitle, element("dl", { class: "keys" }, ...rows));
}
