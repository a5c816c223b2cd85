import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generate, generatedText } from "./index.ts";
import { stopTexts } from "./stop-texts.ts";

/** What each piece gives out, the rest at the end, and whether it was stopped. */
function run(stops: readonly string[], pieces: readonly string[]) {
  const texts = stopTexts(stops);
  const given: string[] = [];
  for (const piece of pieces) {
    const { text, isStopped } = texts.push(piece);
    given.push(text);
    if (isStopped) return { given, isStopped };
  }
  return { given: [...given, texts.end()], isStopped: false };
}

const cases: readonly (readonly [
  claim: string,
  stops: string[],
  pieces: string[],
  given: string[],
  stopped: boolean,
])[] = [
  ["without stop texts every piece is given out at once", [], ["ab", "c"], ["ab", "c", ""], false],
  ["a stop text inside a piece ends it before its first character", ["END"], ["say END now"], ["say "], true],
  ["one that is spread over pieces is held back and never given", ["END"], ["a E", "N", "D b"], ["a ", "", ""], true],
  ["what turns out to be none is given with the piece that shows it", ["END"], ["a E", "N."], ["a ", "EN.", ""], false],
  ["what is held back at the end is given then", ["END"], ["a EN"], ["a ", "EN"], false],
  ["a beginning that begins again is held back from its second beginning", ["aab"], ["aaa", "b"], ["a", ""], true],
  ["of several the one that is complete first ends it", ["bcd", "c"], ["abcd"], ["ab"], true],
  ["of two complete at the same character none is given out", ["b", "ab"], ["xab"], ["x"], true],
  ["a stop text of several bytes a character", ["結。"], ["話結", "。合"], ["話", ""], true],
  ["one of a character outside the basic plane", ["🐳"], ["a🐋", "🐳"], ["a🐋", ""], true],
  ["one that is all of the text leaves nothing", ["\n\n"], ["\n", "\n"], ["", ""], true],
];
for (const [claim, stops, pieces, given, isStopped] of cases) {
  test(claim, () => assert.deepEqual(run(stops, pieces), { given, isStopped }));
}

test("for every text, pieces and stop texts the whole is what stands before the stop text that is complete first", () => {
  const text = fc.array(fc.constantFrom("a", "b", "é", "🐋"), { maxLength: 12 });
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "é", "🐋"), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(text, stops, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (characters, stops, cuts) => {
      const pieces: string[] = [];
      for (const [index, character] of characters.entries()) {
        if (index === 0 || cuts[index] === true) pieces.push(character);
        else pieces.push(`${pieces.pop()}${character}`);
      }
      const found = run(stops, pieces);
      assert.deepEqual([found.given.join(""), found.isStopped], cutOff(characters.join(""), stops));
    }),
    { seed: 1 },
  );
});

/** The long way: the shortest beginning of the text that ends with a stop text, without the longest stop text at its end. */
function cutOff(text: string, stops: readonly string[]): [string, boolean] {
  for (let end = 1; end <= text.length; end += 1) {
    const beginning = text.slice(0, end);
    const complete = stops.filter((stop) => beginning.endsWith(stop)).map(({ length }) => length);
    if (complete.length > 0) return [beginning.slice(0, end - Math.max(...complete)), true];
  }
  return [text, false];
}

const letters = ["a", "b", "c", "E", "N", "D", "."];
const limits = { maxNewTokens: 5, maxSequenceLength: 100 };
const textOf = async (tokens: readonly number[], stops: readonly string[]) => {
  let asked = 0;
  const steps = generatedText(
    generate([0], () => tokens[asked++] ?? assert.fail("a token too many"), limits),
    (token) => letters[token] ?? "",
    stops,
  );
  const given: string[] = [];
  for (;;) {
    const { done, value } = await steps.next();
    if (done === true) return { given, ...value, asked };
    given.push(`${value.token} ${value.text}`);
  }
};

test("the token that completes a stop text is the last one asked for; those that make it are given without text", async () => {
  assert.deepEqual(await textOf([0, 3, 4, 5], ["END"]), {
    given: ["0 a", "3 ", "4 ", "5 "],
    stopReason: "stop",
    text: "",
    asked: 4,
  });
});

test("at the limit what was held back is given with the end", async () => {
  assert.deepEqual(await textOf([0, 1, 2, 3, 4], ["END"]), {
    given: ["0 a", "1 b", "2 c", "3 ", "4 "],
    stopReason: "max_new_tokens",
    text: "EN",
    asked: 5,
  });
});
