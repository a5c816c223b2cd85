/**
 * The numbers that a person's sentence claims, in English and Chinese: `loss fell to 2.43`, `下降73%`, `11 h 43 min`, `25.83M`. What
 * only looks like one is left out: dates, times of day, versions, ids, items of a list, code in backticks, counting words.
 */

/** Which numbers of a record it can be compared with. */
export type NumberKind = "plain" | "ratio" | "seconds" | "bytes";

/** What a written number can mean: some value from `low` to `high`, in the base unit of its kind, without its sign. */
export interface Meaning {
  readonly kind: NumberKind;
  readonly low: number;
  readonly high: number;
}

export interface ProseNumber {
  /** As it is written, with its unit. */
  readonly text: string;
  /** More than one where the unit leaves it open: a megabyte has 1,000,000 bytes or 1,048,576. */
  readonly meanings: readonly Meaning[];
}

/** A longer one is cut where it is named. */
const longestShown = 64;

/** In their order. */
export function numbersIn(prose: string): ProseNumber[] {
  const text = withoutLookalikes(plainDigits(prose));
  return [...text.matchAll(numberPattern)].flatMap((found) => {
    const written = prose.slice(found.index, found.index + found[0].length).trim();
    const meanings = found.groups?.["hours"] === undefined ? meaningsOf(found) : [durationOf(found)];
    return meanings.length === 0 ? [] : [{ text: written.slice(0, longestShown), meanings }];
  });
}

/** Full-width digits and signs, one for one, so that places stay. */
function plainDigits(text: string): string {
  return text.replace(/[\uff05\uff0d\uff0e\uff10-\uff19]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
}

const month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*";

/** Replaced by blanks, in this order. None is tried again and again along a run of the same sign: a text may have 20,000. */
const lookalikes: readonly RegExp[] = [
  /```[^]*?```|`[^`\n]*`/g,
  /https?:\/\/\S+/g,
  /\d{4}([-/])\d{1,2}\1\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?/g,
  /\d{4}\s*年(?:\s*\d{1,2}\s*月)?(?:\s*\d{1,2}\s*[日号])?|\d{1,2}\s*月\s*\d{1,2}\s*[日号]/g,
  new RegExp(`\\b\\d{1,2}\\.? ${month}(?: \\d{4})?|\\b${month} \\d{1,2}(?:,? \\d{4})?`, "g"),
  /\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?/g,
  /(?<![\d.])v?\d+(?:\.\d+){2,}[\w+.-]*|\bv\d+(?:\.\d+)?/gi,
  /(?<![\w.])[A-Za-z_]+[-_]?\d\w*(?:\.\d+)?/g,
  /^[ \t]*\d{1,3}[.)、](?=\s)/gm,
  /#\d+/g,
];

function withoutLookalikes(text: string): string {
  return lookalikes.reduce((left, pattern) => left.replace(pattern, (found) => " ".repeat(found.length)), text);
}

const digits = String.raw`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?`;

/** The base unit of each kind, and how many of it one of these is. */
const units: readonly (readonly [spelling: string, kind: NumberKind, factors: readonly number[]])[] = [
  ["%|‰|per ?cent|percentage points?|个?百分点", "ratio", [0.01]],
  ["ms|milliseconds?|毫秒", "seconds", [0.001]],
  ["s|sec|seconds?|秒", "seconds", [1]],
  ["min|minutes?|分钟", "seconds", [60]],
  ["h|hours?|个?小时", "seconds", [3600]],
  ["days?|天", "seconds", [86_400]],
  ["[kK]i?B", "bytes", [1e3, 2 ** 10]],
  ["Mi?B", "bytes", [1e6, 2 ** 20]],
  ["Gi?B", "bytes", [1e9, 2 ** 30]],
  ["Ti?B", "bytes", [1e12, 2 ** 40]],
  ["bytes?|字节", "bytes", [1]],
  ["[kK]|千", "plain", [1e3]],
  ["M|million|百万", "plain", [1e6]],
  ["B|billion|十亿", "plain", [1e9]],
  ["万", "plain", [1e4]],
  ["亿", "plain", [1e8]],
];

const unitTests = units.map(([spelling, kind, factors]) => ({ test: new RegExp(`^(?:${spelling})$`), kind, factors }));

const unitPattern = units.map(([spelling]) => spelling).join("|");

const numberPattern = new RegExp(
  [
    String.raw`(?<hours>\d+) ?(?:h|hours?|个?小时) ?(?<minutes>\d+) ?(?:min(?:utes?)?|分钟?)(?: ?(?<seconds>\d+) ?(?:s|seconds?|秒))?`,
    String.raw`[-−+]?(?<digits>${digits})(?:[ \u00a0]?(?<unit>${unitPattern})(?![A-Za-z]))?`,
  ].join("|"),
  "g",
);

function durationOf({ groups = {} }: RegExpExecArray): Meaning {
  const { hours, minutes, seconds } = groups;
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0);
  const finest = seconds === undefined ? 60 : 1;
  // A clock's last place is cut off as often as it is rounded.
  return { kind: "seconds", low: whole - finest / 2, high: whole + finest * (1 - 1e-9) };
}

/** Up to here a whole number without a unit is a counting word: `two bugs`, `3 次`. */
const largestCountingWord = 10;

function meaningsOf({ groups = {} }: RegExpExecArray): Meaning[] {
  const written = (groups["digits"] ?? "").replaceAll(",", "");
  const { unit: spelling } = groups;
  const unit = spelling === undefined ? undefined : unitTests.find(({ test }) => test.test(spelling));
  if (unit === undefined) {
    const isCountingWord = /^\d+$/.test(written) && Number(written) <= largestCountingWord;
    return isCountingWord ? [] : anyKind.map((kind) => ({ kind, ...rangeOf(written, 1) }));
  }
  const { kind, factors } = unit;
  return factors.map((factor) => ({ kind, ...rangeOf(written, factor) }));
}

const anyKind: readonly NumberKind[] = ["plain", "ratio", "seconds", "bytes"];

/** All values that are written so: half a unit of the last place to either side. */
function rangeOf(written: string, factor: number): { readonly low: number; readonly high: number } {
  const [mantissa = "", exponent = "0"] = written.toLowerCase().split("e");
  const decimals = mantissa.split(".")[1]?.length ?? 0;
  const half = 0.5 * 10 ** (Number(exponent) - decimals);
  const value = Number(written);
  const slack = Math.abs(value) * 1e-12; // a decimal that has no exact double must not lose its own edge
  return { low: factor * (value - half - slack), high: factor * (value + half + slack) };
}
