/** Tokens and words of the page, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../../page/language/en.js";
import { zh } from "../../page/language/zh.js";
import { levelOf } from "../../page/tools/coloured-tokens.js";
import { tokenTexts } from "../../page/tools/token-texts.js";

test("a character in several tokens is shown with the one that ends it, and all together are the text", () => {
  const text = "a鲸🐋";
  const tokens = [
    { byteLength: 2 }, // a, and the first of the three bytes of 鲸
    { byteOffset: "2", byteLength: 2 },
    { byteOffset: "4", byteLength: 3 },
    { byteOffset: "7", byteLength: 1 },
    { byteOffset: "8" }, // the end of the text has no bytes
  ];
  assert.deepEqual(tokenTexts(text, tokens), ["a", "鲸", "", "🐋", ""]);
  assert.equal(tokenTexts(text, tokens).join(""), text);
});

test("a level begins at its bound", () => {
  assert.deepEqual([0, 0.2499, 0.25, 3.999, 4, 7.999, 8, 99].map(levelOf), [0, 0, 1, 5, 6, 7, 8, 8]);
});

test("every word of one language is another in the other one, but for units", () => {
  const same = Object.entries(en).filter(([name, word]) => typeof word === "string" && zh[name] === word);
  assert.deepEqual(
    same.map(([name]) => name),
    ["scale"],
  );
  for (const [name, group] of Object.entries(en))
    if (typeof group === "object") assert.deepEqual(Object.keys(zh[name]), Object.keys(group), name);
});
