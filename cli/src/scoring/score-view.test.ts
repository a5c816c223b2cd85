import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { create } from "@bufbuild/protobuf";
import { ScoreTextResponseSchema } from "@pretrain/proto";
import { barOf } from "./loss-levels.ts";
import { scoreView } from "./score-view.ts";
import { tokenTexts } from "./token-texts.ts";

/** Tokens of so many bytes each, one behind the other. */
const ofLengths = (...lengths: number[]) =>
  lengths.map((byteLength, index) => ({
    byteLength,
    byteOffset: BigInt(lengths.slice(0, index).reduce((sum, length) => sum + length, 0)),
  }));

test("a token that ends inside a character has no text of it: the one that ends the character has", () => {
  assert.deepEqual(tokenTexts("a鲸b", ofLengths(1, 1, 2, 1)), ["a", "", "鲸", "b"]); // 鲸 is three bytes
  assert.deepEqual(tokenTexts("鲸鱼", ofLengths(4, 2)), ["鲸", "鱼"]);
  assert.deepEqual(tokenTexts("ab", [...ofLengths(2), { byteOffset: 2n, byteLength: 0 }]), ["ab", ""]); // eos
});

const [first, second] = ofLengths(3, 3);
const scored = create(ScoreTextResponseSchema, {
  tokens: [
    { ...first, token: 17, nats: 0.01, top1: true },
    { ...second, token: 4, nats: 12 },
  ],
  loss: { nats: 12.01, tokens: 2n, natsPerToken: 6.005 },
  bitsPerByte: 2.89,
});

test("without colours each token has its loss and a bar", () => {
  const shown = scoreView(scored, "ab\ncd\u001b", { hasColors: false, listsTokens: true });
  assert.equal(stripVTControlCharacters(shown), shown);
  assert.match(shown, /^nats +guess +id +text\n0\.0100 +▁ +first +17 +"ab⏎"\n12\.0000 +█ +4 +"cd␛"\n/);
  assert.match(shown, /nats per token +6\.0050\nperplexity +405\.45\nbits per byte +2\.8900\nguessed first +50\.0 %/);
});

test("with colours the text is there as it is, each token on its own, and no escape of the text itself", () => {
  const shown = scoreView(scored, "ab\ncd\u001b", { hasColors: true, listsTokens: false });
  assert.ok(
    shown.startsWith("\u001b[30;48;5;157mab\u001b[0m\n\u001b[30;48;5;197mcd␛\u001b[0m\n"),
    JSON.stringify(shown),
  );
});

test("bars rise with the loss", () => {
  assert.equal([0, 0.05, 0.5, 1.5, 3, 5, 7.5, 10, 99].map(barOf).join(""), "▁▂▃▄▅▆▇██");
});
