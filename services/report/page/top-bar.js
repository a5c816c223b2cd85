/** The head of the page: the connection, the way to a new experiment, language, look and keys. */
import { changeLanguage, changeLook, look, onChoice } from "./choices.js";
import { element, fill } from "./elements.js";
import { openKeyHelp } from "./key-help.js";
import { words } from "./language/words.js";

export class TopBar {
  #connection = element("p", { id: "connection", class: "connection", role: "status" });
  #start = element("a", { class: "button", href: "/start" });
  #language = element("button", { type: "button", class: "quiet-button", click: changeLanguage });
  #look = element("button", { type: "button", class: "quiet-button", click: changeLook });
  #keys = element("button", { type: "button", class: "quiet-button", click: openKeyHelp });
  /** @type {"connecting" | "live" | "reconnecting"} */
  #state = "connecting";

  /** @param {HTMLElement} place */
  constructor(place) {
    const buttons = element("div", { class: "top-buttons" }, this.#start, this.#language, this.#look, this.#keys);
    place.append(this.#connection, buttons);
    onChoice(() => this.#speak());
    this.#speak();
  }

  /** @param {boolean} isConnected */
  connected(isConnected) {
    this.#state = isConnected ? "live" : "reconnecting";
    this.#speak();
  }

  #speak() {
    const said = words();
    fill(this.#connection, [said[this.#state]]);
    this.#connection.className = `connection ${{ connecting: "", live: "on", reconnecting: "off" }[this.#state]}`;
    fill(this.#start, [said.start]);
    fill(this.#language, [said.otherLanguage]);
    this.#language.title = said.otherLanguageTitle;
    fill(this.#look, [{ system: "◐", light: "☀", dark: "☾" }[look()]]);
    for (const name of /** @type {const} */ (["title", "ariaLabel"])) this.#look[name] = said.theme[look()];
    fill(this.#keys, ["?"]);
    for (const name of /** @type {const} */ (["title", "ariaLabel"])) this.#keys[name] = said.keys;
  }
}
