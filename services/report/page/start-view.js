/** Starting an experiment: a recipe is written, pasted or dropped, checked, and started. */
import { recipe } from "./api.js";
import { checkedForm } from "./checked-form.js";
import { differenceTable } from "./difference-table.js";
import { element, fill } from "./elements.js";
import { counted } from "./figures.js";
import { words } from "./language/words.js";
import { refusal } from "./refusal.js";

const largestFileBytes = 256 * 1024;
const example = `experiment_id: my-first
recipe:
  intent:
    purpose: |
      What this is to find out.
  data:
    path: pretrain.jsonl
  training:
    epochs: 1
`;

export class StartView {
  root = element("article", { class: "start" });
  #said = element("div");

  /** @param {string | undefined} from id of the experiment whose recipe it begins with */
  constructor(from) {
    const said = words();
    const text = element("textarea", { rows: 22, spellcheck: "false", "aria-label": said.recipeText });
    text.value = from === undefined ? example : "";
    const form = checkedForm({
      text,
      check: "check-start",
      start: "start",
      checkLabel: said.check,
      startLabel: said.startIt,
      more: () => (from === undefined ? {} : { baseline: from }),
      show: ({ request, parameters, differences }) => [
        element("p", { class: "good" }, `✓ ${said.checkedStart(request.experimentId, counted(parameters))}`),
        from !== undefined && element("h2", {}, said.differencesFrom(from)),
        from !== undefined && differenceTable(differences),
      ],
    });
    const introduction = from === undefined ? said.startIntroduction : said.startFrom(from);
    const file = element("input", { type: "file", accept: ".yaml,.yml,.json", class: "file" });
    file.addEventListener("change", () => void this.#read(file.files?.[0], text));
    this.root.append(
      element("h1", {}, said.startTitle),
      element("p", { class: "introduction" }, introduction),
      element(
        "section",
        { class: "card" },
        element("label", { class: "field" }, said.chooseFile, file),
        this.#said,
        form,
      ),
    );
    this.#takeDrops(text);
    if (from !== undefined) void this.#begin(from, text);
  }

  /** @param {HTMLTextAreaElement} text */
  #takeDrops(text) {
    for (const name of ["dragover", "drop"])
      this.root.addEventListener(name, (event) => {
        if (!(event instanceof DragEvent) || event.dataTransfer === null) return;
        event.preventDefault();
        if (name === "drop") void this.#read(event.dataTransfer.files[0], text);
      });
  }

  /** @param {string} from @param {HTMLTextAreaElement} text */
  async #begin(from, text) {
    try {
      text.value = (await recipe(from)).replace(/^experiment_id: (["']?)(.*?)\1$/m, "experiment_id: $2-again");
    } catch (error) {
      fill(this.#said, [refusal(error)]);
    }
  }

  /** @param {File | undefined} file @param {HTMLTextAreaElement} text */
  async #read(file, text) {
    if (file === undefined) return;
    if (file.size > largestFileBytes) return fill(this.#said, [refusal(new Error(words().fileTooLarge))]);
    text.value = await file.text();
    text.dispatchEvent(new Event("input", { bubbles: true }));
    fill(this.#said, []);
  }
}
