/** What can be done with an experiment in its state: each button is one request, however often it is pressed. */
import { act, requestId } from "../act.js";
import { openDialog } from "../dialog.js";
import { element, fill } from "../elements.js";
import { words } from "../language/words.js";
import { refusal } from "../refusal.js";
import { openFork } from "./fork-dialog.js";

/** @typedef {"pause" | "resume" | "cancel"} Command */

/** @type {Readonly<Record<string, readonly Command[]>>} */
const commands = {
  QUEUED: ["pause", "cancel"],
  PREPARING: ["pause", "cancel"],
  RUNNING: ["pause", "cancel"],
  INTERRUPTED: ["pause", "cancel"],
  PAUSED: ["resume", "cancel"],
};

export class ActionBar {
  root = element("div", { class: "action-bar" });
  #buttons = element("div", { class: "buttons", role: "group", "aria-label": words().actions });
  #said = element("div", { class: "said", role: "status" });
  /** @type {import("../api.js").Overview | undefined} */
  #overview;
  /** @type {import("../api.js").Detail | undefined} */
  #detail;
  /** Whether its reader may do any of it; the service that does it judges. */
  #mayAct = true;
  /** What is on its way: pressed again, it is the same request. @type {Map<Command, string>} */
  #asked = new Map();

  constructor() {
    this.root.append(this.#buttons, this.#said);
  }

  /**
   * @param {import("../api.js").Overview} overview
   * @param {import("../api.js").Detail | undefined} detail
   */
  show(overview, detail) {
    if (this.#overview?.state !== overview.state) {
      this.#asked.clear(); // what was asked for has happened, or is to be asked for anew
      fill(this.#said, []);
    }
    this.#overview = overview;
    this.#detail = detail;
    this.#draw();
  }

  /** @param {boolean} mayAct */
  allow(mayAct) {
    this.#mayAct = mayAct;
    this.#draw();
  }

  #draw() {
    const overview = this.#overview;
    if (overview === undefined) return;
    const said = words();
    if (!this.#mayAct) return fill(this.#buttons, [element("p", { class: "none" }, said.mayRead)]);
    const possible = commands[overview.state] ?? [];
    const key = [overview.state, this.#canFork, [...this.#asked.keys()], said.pause].join();
    if (this.#buttons.dataset["key"] === key) return; // the buttons keep the focus
    this.#buttons.dataset["key"] = key;
    this.#buttons.replaceChildren(
      ...possible.map((command) =>
        element(
          "button",
          { type: "button", disabled: this.#asked.has(command), click: () => this.#press(command) },
          said[command],
        ),
      ),
      ...(this.#canFork ? [element("button", { type: "button", click: () => this.#fork() }, said.fork)] : []),
      element("a", { class: "button secondary", href: `/start?from=${encodeURIComponent(overview.id)}` }, said.again),
    );
  }

  get #canFork() {
    return this.#detail?.checkpoints.some(({ isRemoved }) => !isRemoved) ?? false;
  }

  #fork() {
    if (this.#overview !== undefined && this.#detail !== undefined) openFork(this.#overview, this.#detail);
  }

  /** @param {Command} command */
  #press(command) {
    if (command !== "cancel") return void this.#ask(command);
    const { cancelQuestion, cancelExplanation, cancelConfirm, cancelKeep } = words();
    const confirm = () => {
      dialog.close();
      void this.#ask("cancel");
    };
    const dialog = openDialog(
      cancelQuestion(this.#overview?.title ?? ""),
      element("p", {}, cancelExplanation),
      element(
        "div",
        { class: "buttons" },
        element("button", { type: "button", autofocus: true, click: () => dialog.close() }, cancelKeep),
        element("button", { type: "button", class: "danger", click: confirm }, cancelConfirm),
      ),
    );
  }

  /** @param {Command} command */
  async #ask(command) {
    const overview = this.#overview;
    if (overview === undefined || this.#asked.has(command)) return;
    const id = requestId();
    this.#asked.set(command, id);
    this.#draw();
    try {
      await act(command, { name: `experiments/${overview.id}`, requestId: id });
      if (this.#asked.has(command)) fill(this.#said, [element("p", {}, words().asked[command])]);
    } catch (error) {
      this.#asked.delete(command);
      fill(this.#said, [refusal(error)]);
    }
    this.#draw();
  }
}
