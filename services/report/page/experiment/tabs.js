/** Parts of an experiment, one of them shown. The part is in the address behind `#`, so that it can be linked to and gone back from. */
import { element } from "../elements.js";

export class Tabs {
  root = element("div", { class: "tabs" });
  #names;
  #buttons;
  #panels;
  #onShow;

  /**
   * @param {readonly { name: string, title: string, panel: HTMLElement }[]} tabs
   * @param {(name: string) => void} onShow
   */
  constructor(tabs, onShow) {
    this.#onShow = onShow;
    this.#names = tabs.map(({ name }) => name);
    this.#panels = tabs.map(({ name, panel }) => {
      panel.id = `part-${name}`;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", `tab-${name}`);
      return panel;
    });
    this.#buttons = tabs.map(({ name, title }) =>
      element(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": `part-${name}`,
          click: () => this.show(name),
        },
        title,
      ),
    );
    const list = element("div", { class: "tab-list", role: "tablist" }, ...this.#buttons);
    list.addEventListener("keydown", (event) => this.#move(event));
    this.root.append(list, ...this.#panels);
  }

  get shown() {
    return this.#names.find((_name, at) => this.#panels[at]?.hidden === false) ?? "";
  }

  /** @param {string} name the first one if there is none of that name */
  show(name) {
    const chosen = this.#names.includes(name) ? name : (this.#names[0] ?? "");
    this.#names.forEach((each, at) => {
      const isShown = each === chosen;
      this.#panels[at]?.toggleAttribute("hidden", !isShown);
      this.#buttons[at]?.setAttribute("aria-selected", String(isShown));
      this.#buttons[at]?.setAttribute("tabindex", isShown ? "0" : "-1");
    });
    const hash = chosen === this.#names[0] ? "" : `#${chosen}`;
    const isPart = location.hash === "" || this.#names.includes(location.hash.slice(1));
    if (isPart && location.hash !== hash) history.replaceState(null, "", location.pathname + location.search + hash);
    this.#onShow(chosen);
  }

  /** @param {number} at from 0 */
  showAt(at) {
    const name = this.#names[at];
    if (name !== undefined) this.show(name);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const count = this.#names.length;
    const at = (this.#names.indexOf(this.shown) + step + count) % count;
    event.preventDefault();
    this.showAt(at);
    this.#buttons[at]?.focus();
  }
}
