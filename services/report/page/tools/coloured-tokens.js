/**
 * Tokens coloured by their loss. Without colour, too: the line under a token is the thicker the more it cost, and its number is read
 * out on pointing at it or on reaching it with the arrow keys.
 */
import { element, fill } from "../elements.js";
import { words } from "../language/words.js";

/** @typedef {{ text: string, nats: number, isTop?: boolean }} ColouredToken */

/** Nats from which on a token has this level; e^8 is about 3,000 equally likely tokens. */
const levels = [0.25, 0.5, 1, 2, 3, 4, 6, 8];

/** From 0, expected, to 8. @param {number} nats */
export function levelOf(nats) {
  const above = levels.findIndex((bound) => nats < bound);
  return above < 0 ? levels.length : above;
}

/** @param {readonly ColouredToken[]} tokens */
export function colouredTokens(tokens) {
  const { tokenHint } = words();
  const readout = element("p", { class: "readout", role: "status" }, tokenHint);
  const spans = tokens.map(({ text, nats }, index) =>
    element(
      "span",
      { class: `token level-${levelOf(nats)}`, tabindex: index === 0 ? 0 : -1, "data-index": index },
      text || "▯",
    ),
  );
  const passage = element("p", { class: "tokens" }, ...spans);
  /** @param {EventTarget | null} target */
  const read = (target) => {
    const token = target instanceof HTMLElement ? tokens[Number(target.dataset["index"] ?? -1)] : undefined;
    if (token !== undefined) fill(readout, [sentence(token)]);
  };
  passage.addEventListener("pointerover", ({ target }) => read(target));
  passage.addEventListener("focusin", ({ target }) => read(target));
  passage.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = spans.indexOf(/** @type {HTMLSpanElement} */ (document.activeElement));
    const next = spans[at + (step ?? 0)];
    if (step === undefined || at < 0 || next === undefined) return;
    event.preventDefault();
    spans[at]?.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  return element("div", { class: "coloured" }, scale(), passage, readout);
}

/** @param {ColouredToken} token */
function sentence({ text, nats, isTop }) {
  const { tokenIs } = words();
  const shown = JSON.stringify(text);
  return isTop === undefined ? `${shown} · ${nats.toFixed(4)} nats` : tokenIs(shown, nats.toFixed(4), isTop);
}

function scale() {
  const steps = [0, ...levels].map((bound, level) => element("span", { class: `token level-${level}` }, String(bound)));
  return element("p", { class: "scale" }, ...steps, ` ${words().scale}`);
}
