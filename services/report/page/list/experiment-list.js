/**
 * The list of experiments: filtered, walked through with arrow keys, and some of them chosen for a comparison. Entries stay the same
 * elements while their numbers change, so that the focus stays where it is.
 */
import { element, fill } from "../elements.js";
import { counted, duration, loss } from "../figures.js";
import { words } from "../language/words.js";
import { go } from "../navigation.js";
import { stateWord, verdictWord } from "../state-words.js";
import { Sparkline } from "./sparkline.js";

/** @typedef {import("../api.js").Overview} Overview */
/** @typedef {{ item: HTMLElement, link: HTMLAnchorElement, box: HTMLInputElement, line: Sparkline, shown: HTMLElement, overview: Overview }} Entry */

const mostCompared = 16;

export class ExperimentList {
  root = element("div", { class: "list" });
  #title = element("h2", { id: "list-title" });
  #filter = element("input", { type: "search", class: "filter" });
  #list = element("ol");
  #noMatch = element("p", { class: "none", hidden: true });
  #compare = element("button", { type: "button", class: "compare" });
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {string | undefined} */
  #current;
  /** @type {readonly string[]} */
  #ticked = [];

  constructor() {
    this.root.append(this.#title, this.#filter, this.#compare, this.#list, this.#noMatch);
    this.#filter.addEventListener("input", () => this.#sift());
    this.#compare.addEventListener("click", () => go(`/compare?ids=${this.#chosen().join(",")}`));
    this.root.addEventListener("keydown", (event) => this.#move(event));
    this.speak();
  }

  /** In the language of now. */
  speak() {
    const { experiments, filter, noMatch } = words();
    fill(this.#title, [experiments]);
    this.#filter.placeholder = filter;
    this.#filter.setAttribute("aria-label", filter);
    fill(this.#noMatch, [noMatch]);
    for (const { overview } of this.#entries.values()) this.update(overview);
    this.#count();
  }

  /** @param {readonly Overview[]} overviews newest first */
  show(overviews) {
    for (const overview of overviews) this.update(overview);
    const items = overviews.flatMap(({ id }) => this.#entries.get(id)?.item ?? []);
    if (items.some((item, index) => this.#list.children[index] !== item)) this.#list.replaceChildren(...items);
    this.root.classList.toggle("lone", overviews.length < 2);
    this.#sift();
    this.#count();
  }

  /** @param {Overview} overview */
  update(overview) {
    const entry = this.#entries.get(overview.id) ?? this.#make(overview);
    entry.overview = overview;
    fill(entry.shown, entryOf(overview));
    entry.box.setAttribute("aria-label", words().choose(overview.title));
    entry.line.reach(overview.microStep);
    this.#mark();
  }

  /** @param {string | undefined} id */
  choose(id) {
    this.#current = id;
    this.#mark();
  }

  /** @param {readonly string[]} ids chosen for a comparison */
  tick(ids) {
    this.#ticked = ids; // also of those that have not come yet
    for (const [id, { box }] of this.#entries) box.checked = ids.includes(id);
    this.#count();
  }

  /** The one that the focus is on, else the one that is shown, is chosen for a comparison, or no longer. */
  toggleChosen() {
    const focused = [...this.#entries.values()].find(({ item }) => item.contains(document.activeElement));
    const entry = focused ?? this.#entries.get(this.#current ?? "");
    if (entry !== undefined) entry.box.click();
  }

  focusFilter() {
    this.#filter.focus();
  }

  get hasRunning() {
    return [...this.#entries.values()].some(({ overview }) => !overview.isFinal);
  }

  /** @param {Overview} overview @returns {Entry} */
  #make(overview) {
    const line = new Sparkline(overview.id);
    const shown = element("span", { class: "entry" });
    const link = element("a", { href: `/experiments/${overview.id}` }, shown, line.root);
    const checked = this.#ticked.includes(overview.id);
    const box = element("input", { type: "checkbox", checked, change: () => this.#count() });
    const made = { item: element("li", {}, box, link), link, box, line, shown, overview };
    this.#entries.set(overview.id, made);
    return made;
  }

  #mark() {
    for (const [id, { link }] of this.#entries) {
      if (id === this.#current) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #sift() {
    const wanted = this.#filter.value.trim().toLowerCase();
    let matching = 0;
    for (const { item, overview } of this.#entries.values()) {
      const { word } = stateWord(overview.state);
      const text = [overview.id, overview.title, overview.purpose, overview.state, word].join("\n").toLowerCase();
      item.hidden = !text.includes(wanted);
      if (!item.hidden) matching += 1;
    }
    this.#noMatch.hidden = matching > 0 || this.#entries.size === 0;
  }

  /** In the order in which they are listed, oldest first: the oldest is the baseline. */
  #chosen() {
    return [...this.#list.querySelectorAll("li")]
      .flatMap((item) => [...this.#entries.values()].filter((entry) => entry.item === item && entry.box.checked))
      .map(({ overview }) => overview.id)
      .reverse()
      .slice(0, mostCompared);
  }

  #count() {
    const count = this.#chosen().length;
    this.#compare.disabled = count < 2;
    fill(this.#compare, [words().compareChosen(count)]);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    const links = [...this.#entries.values()].filter(({ item }) => !item.hidden).map(({ item }) => item);
    const inOrder = [...this.#list.children].filter((item) => links.includes(/** @type {HTMLElement} */ (item)));
    const at = inOrder.findIndex((item) => item.contains(document.activeElement));
    const next = inOrder[Math.max(0, Math.min(inOrder.length - 1, at + step))]?.querySelector("a");
    event.preventDefault();
    next?.focus();
  }
}

/** @param {Overview} overview */
function entryOf(overview) {
  const { sign, word, tone } = stateWord(overview.state);
  return [
    element("span", { class: "name" }, overview.title),
    element("span", { class: `state ${tone}` }, element("span", { class: "sign", "aria-hidden": "true" }, sign), word),
    element("span", { class: "note" }, noteOf(overview)),
  ];
}

/** @param {Overview} overview */
function noteOf({ microStep, totalMicroSteps, lossNatsPerToken, secondsLeft, verdicts }) {
  const { lossIs, noStep, left } = words();
  if (verdicts !== undefined) {
    const { sign, word } = verdictWord(verdicts);
    return [lossIs(loss(lossNatsPerToken)), `${sign} ${word}`.trim()].join(" · ");
  }
  if (microStep === 0) return noStep;
  const share = totalMicroSteps > 0 ? `${Math.floor((100 * microStep) / totalMicroSteps)} %` : counted(microStep);
  return [
    share,
    lossIs(loss(lossNatsPerToken)),
    ...(secondsLeft === undefined ? [] : [left(duration(secondsLeft))]),
  ].join(" · ");
}
