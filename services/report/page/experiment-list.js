/** The list of experiments. Entries stay the same elements while their numbers change, so that the focus stays where it is. */
import { element, fill } from "./elements.js";
import { counted, duration, loss } from "./figures.js";
import { stateWord, verdictWord } from "./state-words.js";

export class ExperimentList {
  #list = element("ol");
  /** @type {Map<string, { item: HTMLElement, link: HTMLAnchorElement }>} */
  #entries = new Map();
  /** @type {string | undefined} */
  #chosen;

  /** @param {HTMLElement} parent */
  constructor(parent) {
    parent.append(element("h2", {}, "Experiments"), this.#list);
  }

  /** @param {readonly import("./api.js").Overview[]} overviews newest first */
  show(overviews) {
    for (const overview of overviews) this.update(overview);
    const items = overviews.flatMap(({ id }) => this.#entries.get(id)?.item ?? []);
    if (items.some((item, index) => this.#list.children[index] !== item)) this.#list.replaceChildren(...items);
  }

  /** @param {import("./api.js").Overview} overview */
  update(overview) {
    const { link } = this.#entries.get(overview.id) ?? this.#make(overview.id);
    fill(link, entry(overview));
    this.#mark();
  }

  /** @param {string | undefined} id */
  choose(id) {
    this.#chosen = id;
    this.#mark();
  }

  #mark() {
    for (const [id, { link }] of this.#entries) {
      if (id === this.#chosen) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** @param {string} id */
  #make(id) {
    const link = element("a", { href: `/experiments/${id}` });
    const made = { item: element("li", {}, link), link };
    this.#entries.set(id, made);
    return made;
  }
}

/** @param {import("./api.js").Overview} overview */
function entry(overview) {
  const { sign, word, tone } = stateWord(overview.state);
  return [
    element("span", { class: "name" }, overview.title),
    element("span", { class: `state ${tone}` }, element("span", { class: "sign", "aria-hidden": "true" }, sign), word),
    element("span", { class: "note" }, noteOf(overview)),
  ];
}

/** @param {import("./api.js").Overview} overview */
function noteOf(overview) {
  const { microStep, totalMicroSteps, lossNatsPerToken, secondsLeft, verdicts } = overview;
  if (verdicts !== undefined) {
    const { sign, word } = verdictWord(verdicts);
    return `loss ${loss(lossNatsPerToken)} · ${sign} ${word}`;
  }
  if (microStep === 0) return "no step yet";
  const share = totalMicroSteps > 0 ? `${Math.floor((100 * microStep) / totalMicroSteps)} %` : counted(microStep);
  return [
    share,
    `loss ${loss(lossNatsPerToken)}`,
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
  ].join(" · ");
}
