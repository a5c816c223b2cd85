/** Losses as levels that the eye can tell apart, with and without colours. */

/** Upper ends of the levels, in nats: a token that the model gave 95, 61, 22, 5, 0.7 % costs about so much. */
const ends = [0.05, 0.5, 1.5, 3, 5, 7.5, 10] as const;

const bars = "▁▂▃▄▅▆▇█";

/** Backgrounds from green over yellow to red, of the 256 colours that terminals have; each readable under black letters. */
const backgrounds = [157, 193, 229, 223, 217, 210, 203, 197] as const;

/** From 0, sure, to 7, hardly thought possible. */
export function levelOf(nats: number): number {
  const level = ends.findIndex((end) => nats < end);
  return level === -1 ? ends.length : level;
}

/** One block whose height is the level. */
export function barOf(nats: number): string {
  return bars[levelOf(nats)] ?? "";
}

/** The text on the colour of its loss. */
export function colored(text: string, nats: number): string {
  return `\u001b[30;48;5;${backgrounds[levelOf(nats)]}m${text}\u001b[0m`;
}

/** What the colours mean, as a line. */
export function legend(): string {
  const names = ["< 0.05", ...ends.slice(0, -1).map((end, index) => `${end}–${ends[index + 1]}`), "≥ 10 nats"];
  return names.map((name, level) => colored(` ${name} `, level === 0 ? 0 : (ends[level - 1] ?? 0))).join("");
}
