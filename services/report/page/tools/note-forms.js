/** What a person adds to the record afterwards: a note, points, something to do, a review. It is signed, and nothing is overwritten. */
import { act, requestId } from "../act.js";
import { keep, kept } from "../choices.js";
import { element, fill } from "../elements.js";
import { words } from "../language/words.js";
import { refusal } from "../refusal.js";

/** @typedef {import("../act.js").Json} Json */
/** @typedef {keyof ReturnType<typeof words>["kinds"]} Kind */

/** The content of an annotation of each kind; `field` reads what was filled in. @type {Record<Kind, (field: (name: string) => string) => Json>} */
const contents = {
  note: (field) => ({ finding: { kind: "KIND_NOTE", text: field("text") } }),
  finding: (field) => ({ finding: { kind: "KIND_FINDING", text: field("text") } }),
  breakthrough: (field) => ({ finding: { kind: "KIND_BREAKTHROUGH", text: field("text") } }),
  lesson: (field) => ({ finding: { kind: "KIND_LESSON", text: field("text") } }),
  conclusion: (field) => ({ conclusion: { text: field("text") } }),
  action: (field) => ({ action: { text: field("text") } }),
  score: (field) => ({
    score: {
      subject: `SUBJECT_${field("subject")}`,
      aspect: field("subject") === "QUALITY" ? field("aspect") : "",
      points: Number(field("points")),
      reason: field("text"),
    },
  }),
  review: (field) => ({ review: { state: `STATE_${field("state")}`, text: field("text") } }),
};
/** Kinds that say nothing without words. */
const needText = new Set(["note", "finding", "breakthrough", "lesson", "conclusion", "action"]);

export class NoteForms {
  root = element("div", { class: "tools" });
  #experiment;
  #form = element("form", { class: "card stack" });
  #found = element("div", { class: "found", role: "status" });
  #actions = element("ul", { class: "to-do" });
  #actionsFound = element("div", { class: "found", role: "status" });
  /** One request until something is changed: sent again, it is the same. */
  #requestId = requestId();

  /** @param {string} id */
  constructor(id) {
    const said = words();
    this.#experiment = `experiments/${id}`;
    const { kind, fields } = noteFields();
    this.#form.append(
      element("h2", {}, said.notesTitle),
      element("p", {}, said.notesIntroduction),
      ...fields,
      element("div", { class: "buttons" }, element("button", { type: "submit", class: "primary" }, said.add)),
      this.#found,
    );
    const shape = () => {
      const chosen = /** @type {Kind} */ (kind.value);
      for (const part of this.#form.querySelectorAll("[data-of]"))
        if (part instanceof HTMLElement) part.hidden = !part.dataset["of"]?.split(" ").includes(chosen);
      this.#field("text").toggleAttribute("required", needText.has(chosen));
    };
    shape();
    this.#form.addEventListener("input", () => {
      this.#requestId = requestId();
      shape();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#add();
    });
    const todo = element(
      "section",
      { class: "card" },
      element("h2", {}, said.todo),
      element("p", { class: "none" }, said.doneBy),
      this.#actions,
      this.#actionsFound,
    );
    this.root.append(this.#form, todo);
  }

  /** Who is known signs by that name, whatever was typed here before. @param {string} name */
  sign(name) {
    const author = this.#field("author");
    author.value = name;
    author.toggleAttribute("readonly", true);
  }

  /** @param {import("../api.js").Detail} detail */
  show({ actions }) {
    const rows = actions.map((action) => {
      const box = element("input", { type: "checkbox", ...(action.isDone && { checked: true, disabled: true }) });
      box.addEventListener("change", () => void this.#done(action, box));
      return element("li", {}, element("label", { class: "check" }, box, action.text));
    });
    const key = JSON.stringify(actions);
    if (this.#actions.dataset["key"] === key) return;
    this.#actions.dataset["key"] = key;
    this.#actions.replaceChildren(
      ...(rows.length > 0 ? rows : [element("li", { class: "none" }, words().nothingToDo)]),
    );
  }

  async #add() {
    const value = (/** @type {string} */ name) => this.#field(name).value;
    const allowed = this.#field("allow");
    const annotation = {
      ...this.#signature(),
      allowUnsupportedNumbers: allowed instanceof HTMLInputElement && allowed.checked,
      ...contents[/** @type {Kind} */ (value("kind"))](value),
    };
    const isAdded = await this.#send(annotation, this.#requestId, this.#found);
    if (!isAdded) return;
    this.#field("text").value = "";
    this.#requestId = requestId();
  }

  /** @param {import("../api.js").Detail["actions"][number]} action @param {HTMLInputElement} box */
  async #done({ name, text }, box) {
    box.disabled = true;
    const annotation = {
      ...this.#signature(),
      supersedes: name,
      allowUnsupportedNumbers: true,
      action: { text, done: true },
    };
    const isAdded = await this.#send(annotation, requestId(), this.#actionsFound);
    if (isAdded) return;
    box.checked = false;
    box.disabled = false;
  }

  #signature() {
    const author = this.#field("author").value;
    if (!this.#field("author").hasAttribute("readonly")) keep("author", author);
    return { author, authorKind: `AUTHOR_KIND_${this.#field("authorKind").value}` };
  }

  /** @param {Json} annotation @param {string} id @param {Element} found */
  async #send(annotation, id, found) {
    fill(found, [element("p", { class: "none" }, words().working)]);
    try {
      await act("annotate", { experiment: this.#experiment, annotation, requestId: id });
      fill(found, [element("p", { class: "good" }, `✓ ${words().added}`)]);
      return true;
    } catch (error) {
      fill(found, [refusal(error)]);
      return false;
    }
  }

  /** @param {string} name @returns {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} */
  #field(name) {
    const found = this.#form.elements.namedItem(name);
    if (found instanceof HTMLInputElement || found instanceof HTMLSelectElement || found instanceof HTMLTextAreaElement)
      return found;
    throw new Error(`the form has no field ${name}`);
  }
}

function noteFields() {
  const said = words();
  const kind = choice("kind", said.kinds);
  const author = element("input", {
    name: "author",
    required: true,
    maxlength: 256,
    value: kept("author"),
    autocomplete: "name",
  });
  const points = element("input", { name: "points", type: "number", min: 0, max: 10, step: "any", value: 5 });
  const text = element("textarea", { name: "text", rows: 4, maxlength: 20_000 });
  const allow = element("input", { name: "allow", type: "checkbox" });
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input, of = "") =>
    element("label", { class: "field", ...(of && { "data-of": of }) }, label, input);
  return {
    kind,
    fields: [
      element(
        "div",
        { class: "numbers" },
        field(said.author, author),
        field(said.authorKind, choice("authorKind", said.authorKinds)),
      ),
      field(said.kind, kind),
      field(said.scoreSubject, choice("subject", said.scoreSubjects), "score"),
      field(said.aspect, element("input", { name: "aspect", maxlength: 64 }), "score"),
      field(said.points, points, "score"),
      field(said.reviewState, choice("state", said.reviewStates), "review"),
      field(said.text, text),
      element(
        "label",
        { class: "check", "data-of": "note finding breakthrough lesson conclusion" },
        allow,
        said.allowNumbers,
      ),
    ],
  };
}

/** @param {string} name @param {Readonly<Record<string, string>>} options */
function choice(name, options) {
  return element(
    "select",
    { name },
    ...Object.entries(options).map(([value, text]) => element("option", { value }, text)),
  );
}
