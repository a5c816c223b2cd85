/** Texts and a checkpoint: what each token of one costs, and how it goes on. */
import { act, actPiecewise } from "../act.js";
import { element, fill } from "../elements.js";
import { checkpointSelect, fillCheckpoints } from "../experiment/checkpoint-select.js";
import { counted, loss } from "../figures.js";
import { words } from "../language/words.js";
import { refusal } from "../refusal.js";
import { colouredTokens } from "./coloured-tokens.js";
import { tokenTexts } from "./token-texts.js";

export class TextTools {
  root = element("div", { class: "tools" });
  #select = checkpointSelect([]);

  constructor() {
    this.root.append(
      element("label", { class: "field card" }, words().checkpoint, this.#select),
      scoreForm(() => this.#select.value),
      generateForm(() => this.#select.value),
    );
  }

  /** @param {import("../api.js").Detail} detail */
  show({ checkpoints }) {
    fillCheckpoints(this.#select, checkpoints);
  }
}

/** @param {() => string} checkpoint */
function scoreForm(checkpoint) {
  const said = words();
  const text = element("textarea", { rows: 5, maxlength: 100_000, required: true, "aria-label": said.text });
  const score = element("button", { type: "submit", class: "primary" }, said.score);
  const found = element("div", { class: "found", "aria-live": "polite" });
  const form = element(
    "form",
    { class: "card stack" },
    element("h2", {}, said.scoreTitle),
    element("p", {}, said.scoreIntroduction),
    text,
    element("div", { class: "buttons" }, score),
    found,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    score.disabled = true;
    fill(found, [element("p", { class: "none" }, said.working)]);
    try {
      const asked = text.value;
      const answer = await act("score", { checkpoint: checkpoint(), text: asked });
      found.replaceChildren(...scored(asked, answer));
    } catch (error) {
      fill(found, [refusal(error)]);
    } finally {
      score.disabled = false;
    }
  });
  return form;
}

/** @param {string} text @param {import("../act.js").Json} answer */
function scored(text, { tokens = [], loss: whole = {}, bitsPerByte }) {
  const texts = tokenTexts(text, tokens);
  const coloured = tokens.map((/** @type {import("../act.js").Json} */ token, /** @type {number} */ index) => ({
    text: texts[index] ?? "",
    nats: token["nats"] ?? 0,
    isTop: token["top1"] ?? false,
  }));
  const count = Number(whole.tokens ?? tokens.length);
  const mean = count > 0 ? (whole.nats ?? 0) / count : undefined;
  const bits = bitsPerByte === undefined ? "–" : bitsPerByte.toFixed(4);
  return [element("p", {}, words().scored(loss(mean), counted(count), bits)), colouredTokens(coloured)];
}

/** @param {() => string} checkpoint */
function generateForm(checkpoint) {
  const said = words();
  const prompt = element("textarea", { rows: 3, maxlength: 100_000, "aria-label": said.prompt });
  const numbers = {
    maxNewTokens: numberField(said.newTokens, { value: 100, min: 0, max: 65_536, step: 1 }),
    temperature: numberField(said.temperature, { value: 0, min: 0, max: 100, step: "any" }),
    topP: numberField(said.topP, { value: 0, min: 0, max: 1, step: "any" }),
    seed: numberField(said.seed, { value: 0, min: 0, max: 4_294_967_295, step: 1 }),
  };
  const generate = element("button", { type: "submit", class: "primary" }, said.generate);
  const stop = element("button", { type: "button", disabled: true }, said.stop);
  const found = element("p", { class: "generated", "aria-live": "polite" });
  const ended = element("div");
  /** @type {AbortController | undefined} */
  let running;
  stop.addEventListener("click", () => running?.abort());
  const form = element(
    "form",
    { class: "card stack" },
    element("h2", {}, said.generateTitle),
    element("p", {}, said.generateIntroduction),
    prompt,
    element("div", { class: "numbers" }, ...Object.values(numbers).map(({ label }) => label)),
    element("div", { class: "buttons" }, generate, stop),
    found,
    ended,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    running = new AbortController();
    generate.disabled = true;
    stop.disabled = false;
    found.replaceChildren(element("span", { class: "quiet" }, prompt.value));
    fill(ended, [element("p", { class: "none" }, said.working)]);
    const asked = Object.fromEntries(Object.entries(numbers).map(([name, { input }]) => [name, Number(input.value)]));
    try {
      const request = { checkpoint: checkpoint(), prompt: prompt.value, ...asked };
      for await (const { text = "", stopReason } of actPiecewise("generate", request, running.signal)) {
        found.append(text);
        if (stopReason) fill(ended, [element("p", { class: "none" }, said.endedBecause(reasonOf(stopReason)))]);
      }
    } catch (error) {
      fill(ended, running.signal.aborted ? [] : [refusal(error)]);
    } finally {
      generate.disabled = false;
      stop.disabled = true;
    }
  });
  return form;
}

/** @param {string} reason */
function reasonOf(reason) {
  /** @type {Readonly<Record<string, string>>} */
  const named = words().stopReasons;
  return named[reason] ?? reason;
}

/** @param {string} name @param {Readonly<Record<string, string | number>>} attributes */
function numberField(name, attributes) {
  const input = element("input", { type: "number", required: true, ...attributes });
  return { input, label: element("label", { class: "field" }, name, input) };
}
