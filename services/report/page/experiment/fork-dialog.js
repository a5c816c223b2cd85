/** A fork: the checkpoint to go on from, the new id, the fields to change; what differs is shown before it starts. */
import { checkedForm } from "../checked-form.js";
import { openDialog } from "../dialog.js";
import { differenceTable } from "../difference-table.js";
import { element } from "../elements.js";
import { words } from "../language/words.js";
import { checkpointSelect } from "./checkpoint-select.js";

/**
 * @param {import("../api.js").Overview} overview
 * @param {import("../api.js").Detail} detail
 */
export function openFork(overview, detail) {
  const said = words();
  const select = checkpointSelect(detail.checkpoints);
  const text = element("textarea", { rows: 8, spellcheck: "false", "aria-label": said.recipeText });
  text.value = [
    `experiment_id: ${overview.title}-fork`,
    "recipe:",
    "  training:",
    `    learning_rate: ${detail.learningRate ?? 1e-4}`,
    "",
  ].join("\n");
  const form = checkedForm({
    text,
    check: "check-fork",
    start: "fork",
    checkLabel: said.showDifferences,
    startLabel: said.forkIt,
    more: () => ({ checkpoint: select.value }),
    show: ({ differences }) => [differenceTable(differences)],
    onStarted: () => dialog.close(),
  });
  form.prepend(element("label", { class: "field" }, said.checkpoint, select));
  const dialog = openDialog(said.forkTitle(overview.title), element("p", {}, said.forkIntroduction), form);
}
