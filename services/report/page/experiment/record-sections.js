/**
 * Sections of the record as they stand now. They come as HTML from the renderer that writes the record, in which whatever people wrote
 * is text; a section that has not changed stays the same elements, with selection, focus and scrolling.
 */
import { NotThere, sections } from "../api.js";
import { element } from "../elements.js";
import { language } from "../language/words.js";

export class RecordSections {
  root = element("div", { class: "record-sections" });
  #ask;
  /** The HTML of each section that is shown, in order. @type {string[]} */
  #shown = [];

  /** @param {() => Promise<string>} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** Out of sight: its ids are free for another part of the page. */
  clear() {
    this.root.replaceChildren();
    this.#shown = [];
  }

  async refresh() {
    const template = document.createElement("template");
    template.innerHTML = await this.#ask();
    const fresh = [...template.content.children];
    const isSameOrder =
      fresh.length === this.#shown.length && fresh.every(({ id }, at) => this.root.children[at]?.id === id);
    const html = fresh.map((section) => section.outerHTML);
    if (!isSameOrder) this.root.replaceChildren(...fresh);
    else
      fresh.forEach((section, at) => {
        if (this.#shown[at] !== html[at]) this.root.children[at]?.replaceWith(section);
      });
    this.#shown = html;
  }

  /** Titles of the sections, as links to them. */
  contents() {
    const sections = [...this.root.querySelectorAll("section[id]")];
    const links = sections.map((section) => {
      const title = section.querySelector("h3")?.firstChild?.textContent?.trim() ?? section.id;
      return element("li", {}, element("a", { href: `#${section.id}` }, title));
    });
    return element("ol", {}, ...links);
  }
}

/**
 * Of one experiment.
 * @param {string} id
 * @param {readonly string[]} [ids] of the sections; all when left out
 */
export function sectionsOf(id, ids) {
  return new RecordSections(() =>
    sections(id, language(), ids).catch((error) => {
      if (error instanceof NotThere) return ""; // its first event has not arrived
      throw error;
    }),
  );
}
