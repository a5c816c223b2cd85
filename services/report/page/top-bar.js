/** The head of the page: the connection, the way to a new experiment, who one is, language, look and keys. */
import { changeLanguage, changeLook, look, onChoice } from "./choices.js";
import { element, fill } from "./elements.js";
import { openKeyHelp } from "./key-help.js";
import { words } from "./language/words.js";
import { loginAddress, logOut, me } from "./login/session.js";

export class TopBar {
  #connection = element("p", { id: "connection", class: "connection", role: "status" });
  #start = element("a", { class: "button", href: "/start" });
  #language = element("button", { type: "button", class: "quiet-button", click: changeLanguage });
  #look = element("button", { type: "button", class: "quiet-button", click: changeLook });
  #keys = element("button", { type: "button", class: "quiet-button", click: openKeyHelp });
  #person = element("span", { class: "person" });
  #leave = element("button", { type: "button", class: "quiet-button", click: () => void this.#logOut() });
  /** @type {import("./login/session.js").Me} */
  #me = {};
  /** @type {"connecting" | "live" | "reconnecting" | "loggedOut"} */
  #state = "connecting";

  /** @param {HTMLElement} place */
  constructor(place) {
    const own = [this.#person, this.#leave];
    const buttons = element(
      "div",
      { class: "top-buttons" },
      this.#start,
      ...own,
      this.#language,
      this.#look,
      this.#keys,
    );
    place.append(this.#connection, buttons);
    onChoice(() => this.#speak());
    this.#speak();
    void this.#introduce();
  }

  /** @param {boolean} isConnected */
  connected(isConnected) {
    if (this.#state === "loggedOut" && !isConnected) return;
    this.#state = isConnected ? "live" : "reconnecting";
    this.#speak();
  }

  /** The session has ended, or its key counts no more. What is shown stays, and what is being written too. */
  loggedOut() {
    this.#state = "loggedOut";
    this.#speak();
  }

  async #introduce() {
    this.#me = (await me().catch(() => undefined)) ?? {};
    this.#speak();
  }

  async #logOut() {
    await logOut().catch(() => undefined); // without the service there is no session either
    location.assign("/login");
  }

  #speak() {
    const said = words();
    const isOut = this.#state === "loggedOut";
    fill(this.#connection, [
      said[this.#state],
      isOut && " ",
      isOut && element("a", { href: loginAddress() }, said.logIn),
    ]);
    const classes = { connecting: "", live: "on", reconnecting: "off", loggedOut: "off" };
    this.#connection.className = `connection ${classes[this.#state]}`;
    fill(this.#person, [this.#me.name]);
    fill(this.#leave, [said.logOut]);
    this.#leave.hidden = this.#me.hasSession !== true;
    fill(this.#start, [said.start]);
    fill(this.#language, [said.otherLanguage]);
    this.#language.title = said.otherLanguageTitle;
    fill(this.#look, [{ system: "◐", light: "☀", dark: "☾" }[look()]]);
    for (const name of /** @type {const} */ (["title", "ariaLabel"])) this.#look[name] = said.theme[look()];
    fill(this.#keys, ["?"]);
    for (const name of /** @type {const} */ (["title", "ariaLabel"])) this.#keys[name] = said.keys;
  }
}
