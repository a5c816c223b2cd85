/** Text in Markdown that stays text: whatever it holds, it makes no heading, link, image, table cell or HTML. */
import { visibleText } from "../visible-text.ts";

/** On one line, for headings, cells and lists. Line ends become `<br>`, the only markup in here. */
export function markdownText(text: string): string {
  return visibleText(text)
    .trim()
    .replace(/[\\`*[\]<>|~&$]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_") // one inside a name, as in n_layers, emphasizes nothing
    .replace(/^(?=[-+#])|^(\d+)(?=[.)](\s|$))/gm, "$1\\") // would begin a list or a heading
    .replaceAll("\t", " ")
    .replaceAll("\n", "<br>");
}

/** As a code span; a longer run of backticks around it than any inside. */
export function markdownCode(text: string): string {
  const shown = visibleText(text).replaceAll("\n", " ").replaceAll("|", "\\|");
  if (shown === "") return "";
  const fence = "`".repeat(longestRun(shown) + 1);
  return fence.length === 1 ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`;
}

/** Word for word, as a block that nothing inside can end. */
export function markdownBlock(text: string, given = "text"): string {
  const shown = visibleText(text);
  const language = /^[A-Za-z0-9+#-]{1,32}$/.test(given) ? given : "text";
  const fence = "`".repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
