/** A past micro-step, computed again: whether it comes out as it was logged, and what each of its rows and tokens cost. */
import { act } from "../act.js";
import { element, fill } from "../elements.js";
import { counted, loss, short } from "../figures.js";
import { words } from "../language/words.js";
import { refusal } from "../refusal.js";
import { colouredTokens } from "./coloured-tokens.js";

/** @typedef {import("../act.js").Json} Json */

export class StepTool {
  root;
  #id;
  #number = element("input", { type: "number", min: 1, step: 1, required: true });
  #explain = element("button", { type: "submit", class: "primary" });
  #found = element("div", { class: "found", "aria-live": "polite" });

  /** @param {string} id */
  constructor(id) {
    const said = words();
    this.#id = id;
    fill(this.#explain, [said.explain]);
    this.root = element(
      "form",
      { class: "card stack" },
      element("h2", {}, said.explainTitle),
      element("p", {}, said.explainIntroduction),
      element("label", { class: "field" }, said.microStepNumber, this.#number),
      element("div", { class: "buttons" }, this.#explain),
      this.#found,
    );
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask();
    });
  }

  /** @param {number} microStep */
  choose(microStep) {
    this.#number.value = String(microStep);
    this.#number.focus();
  }

  async #ask() {
    this.#explain.disabled = true;
    fill(this.#found, [element("p", { class: "none" }, words().working)]);
    try {
      const asked = { experiment: `experiments/${this.#id}`, microStep: this.#number.value };
      this.#found.replaceChildren(...explanation(await act("explain", asked)));
    } catch (error) {
      fill(this.#found, [refusal(error)]);
    } finally {
      this.#explain.disabled = false;
    }
  }
}

/** @param {Json} answer @returns {Node[]} */
function explanation({ explanation: found, logged }) {
  const said = words();
  const { checkpoint, replayedMicroSteps = "0", inexact = [], rows = [] } = found;
  const from = checkpoint ? checkpoint.replace(/^.*\/checkpoints\//, "") : said.fromSeed;
  return [
    element("p", {}, said.explained(from, counted(Number(replayedMicroSteps)))),
    ...(inexact.length === 0 ? [] : [element("p", { class: "open" }, `${said.inexact}: ${inexact.join("; ")}`)]),
    comparison(found, logged),
    ...rows.map((/** @type {Json} */ row, /** @type {number} */ index) => rowOf(row, index)),
  ];
}

/** @param {Json} found @param {Json} logged */
function comparison(found, logged) {
  const said = words();
  const perToken = (/** @type {Json} */ step) => loss(Number(step["lossNats"]) / Number(step["lossTokens"]));
  const rows = [
    { name: said.loss, value: perToken(found), again: found["lossNats"], logged: logged["lossNats"] },
    {
      name: said.gradientNorm,
      value: short(found["gradientNorm"]),
      again: found["gradientNorm"],
      logged: logged["gradientNorm"],
    },
    { name: said.clipScale, value: short(found["clipScale"]), again: found["clipScale"], logged: logged["clipScale"] },
  ];
  const heads = ["", said.computedAgain, said.comparedWithLog].map((name) => element("th", { scope: "col" }, name));
  return element(
    "table",
    { class: "data" },
    element("thead", {}, element("tr", {}, ...heads)),
    element(
      "tbody",
      {},
      ...rows.map((row) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, row.name),
          element("td", {}, row.value),
          element("td", {}, equality(row)),
        ),
      ),
    ),
  );
}

/** @param {{ again: number | undefined, logged: number | null | undefined }} values compared as they are, not as they are shown */
function equality({ again, logged }) {
  const { equalToTheBit, unequal, notLogged } = words();
  if (logged === undefined || logged === null || again === undefined)
    return element("span", { class: "quiet" }, notLogged);
  if (again === logged) return element("span", { class: "good" }, `✓ ${equalToTheBit}`);
  return element("span", { class: "open" }, `≠ ${unequal(String(logged))}`);
}

/** The worst is open. @param {Json} row @param {number} index */
function rowOf({ rowId = "0", text = "", lossNats = 0, lossTokens = "0", lossShare = 0, tokens = [] }, index) {
  const said = words();
  const perToken = loss(lossNats / Number(lossTokens));
  const summary = `${said.row} ${counted(Number(rowId))} · ${perToken} ${said.lossPerToken} · ${said.targets} ${counted(Number(lossTokens))} · ${said.share} ${(100 * lossShare).toFixed(1)} %`;
  const body =
    tokens.length > 0
      ? colouredTokens(
          tokens.map((/** @type {Json} */ token) => ({ text: token["text"] ?? "", nats: token["nats"] ?? 0 })),
        )
      : element("p", { class: "tokens" }, text);
  return element("details", { class: "row", open: index === 0 }, element("summary", {}, summary), body);
}
