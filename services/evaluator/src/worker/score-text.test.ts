/** What each token of a text costs, against the long way: one position at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import { loadedExperiment } from "../test-support/loaded-experiment.ts";
import { costOf, plainModel } from "../test-support/plain-reference.ts";
import { tinyWeights, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import { validationTexts } from "../test-support/validation-texts.ts";
import { loadModel } from "./load-model.ts";
import { scoreText } from "./score-text.ts";

const whole = { context: 0, stride: 0, eos: false };

test("what each token of a text costs", async (t) => {
  const { experiment, load } = await loadedExperiment(t);
  using model = await load();
  const { tokenizer } = experiment;
  const { bos, eos } = tokenizer.specialTokens;
  const plain = plainModel(tinyWeights(1));
  const scored = (text: string, how: Partial<typeof whole> = {}) => scoreText(model, { text, ...whole, ...how });

  await t.test(
    "bos is read and not scored, each token costs what it does behind all before it, and eos if asked for",
    () => {
      const text = "Call me 結。";
      for (const withEos of [false, true]) {
        const row = [bos, ...tokenizer.encode(text), ...(withEos ? [eos] : [])];
        const { tokens } = scored(text, { eos: withEos });
        assert.deepEqual(
          tokens.map(({ token }) => token),
          row.slice(1),
        );
        const costs = row.slice(1).map((_, index) => costOf(plain, row, index + 1));
        assertClose(
          tokens.map(({ nats }) => nats),
          costs,
          1e-5,
        );
      }
    },
  );

  await t.test("top1 marks the tokens that had the largest score", () => {
    const text = validationTexts[4] ?? "";
    const row = [bos, ...tokenizer.encode(text)];
    const expected = row.slice(1).map((token, index) => {
      const scores = plain.scores(row.slice(0, index + 1)).at(-1) ?? [];
      return scores.indexOf(Math.max(...scores)) === token;
    });
    assert.deepEqual(
      scored(text).tokens.map(({ top1 }) => top1),
      expected,
    );
  });

  await t.test("the bytes of the tokens, each at its offset, are the text, wherever tokens begin and end", () => {
    for (const text of validationTexts.filter((each) => each !== "")) {
      const { tokens, text: own } = scored(text, { eos: true });
      const bytes = Buffer.from(text);
      for (const { token, byteOffset, byteLength } of tokens.slice(0, -1)) {
        assert.deepEqual(bytes.subarray(byteOffset, byteOffset + byteLength), Buffer.from(tokenizer.tokenBytes(token)));
      }
      const { byteOffset, byteLength } = tokens.at(-1) ?? assert.fail();
      assert.deepEqual([byteOffset, byteLength, own.bytes], [bytes.length, 0, bytes.length]);
    }
    const split = scored("鯨").tokens; // not in the tokenizer's texts: each byte is a token
    assert.deepEqual(
      split.map(({ byteOffset, byteLength }) => [byteOffset, byteLength]),
      [[0, 1], [1, 1], [2, 1]], // biome-ignore format: a token each
    );
  });

  await t.test("markers that the text spells stand in it, are not added again, and are in no bits per byte", () => {
    const { tokens, text } = scored("<|im_start|>a<|im_end|>", { eos: true });
    const a = tokenizer.encode("a")[0];
    assert.deepEqual(
      tokens.map(({ token, byteOffset, byteLength }) => [token, byteOffset, byteLength]),
      [[a, 12, 1], [eos, 13, 10]], // biome-ignore format: a token each
    );
    assert.deepEqual(text, { nats: tokens[0]?.nats, bytes: 1 });
  });

  await t.test("a text longer than the context: each token by the tokens that its window shows", () => {
    const text = validationTexts[0] ?? "";
    const row = [bos, ...tokenizer.encode(text)];
    const { tokens } = scored(text, { context: 8, stride: 3 });
    // The first window scores targets 1 to 8; each later one three, and reads up to eight tokens before its last target.
    const costs = row.slice(1).map((_, index) => {
      const target = index + 1;
      const end = target <= 8 ? 8 : 8 + 3 * Math.ceil((target - 8) / 3);
      const begin = Math.max(0, Math.min(end, row.length - 1) - 8);
      return costOf(plain, row.slice(begin), target - begin);
    });
    assertClose(
      tokens.map(({ nats }) => nats),
      costs,
      1e-5,
    );
    assert.notDeepEqual(tokens, scored(text).tokens);
  });

  await t.test("a text far longer than the model's sequences is scored to its end", () => {
    const { tokens } = scored("Call me Ishmael. ".repeat(100));
    assert.ok(tokens.length > 500 && tokens.every(({ nats }) => nats > 0));
  });

  for (const [claim, text, how, field, message] of [
    ["an empty text", "", {}, "text", /no token to score/],
    ["bos alone", "<|im_start|>", {}, "text", /no token to score/],
    ["more tokens than an answer holds", "鯨".repeat(50_000), {}, "text", /150000 tokens, at most 131072/],
    ["a context beyond the model", "a", { context: 65 }, "context", /65 tokens; the model predicts from at most 64/],
    ["a stride beyond the context", "a", { context: 8, stride: 9 }, "stride", /9 new tokens in a window of 8/],
    [
      "windows that read too much",
      "鯨".repeat(4000),
      { stride: 1 },
      "stride",
      /tokens would be read in all windows, at most 131072/,
    ],
  ] as const) {
    await t.test(`${claim} is refused by the field`, () => {
      assert.throws(
        () => scored(text, how),
        (error) =>
          error instanceof InvalidArgument && error.violations[0]?.field === field && message.test(error.message),
      );
    });
  }

  await t.test("an empty text with eos costs what eos does, and has no bits per byte", () => {
    const { tokens, text } = scored("", { eos: true });
    assert.deepEqual([tokens.map(({ token }) => token), text.bytes], [[eos], 0]);
  });
});

test("a loss that is not a number is an error, not a number", async (t) => {
  const { experiment, source } = await loadedExperiment(t);
  const weights = tinyWeights(1);
  weights.get("norm.weight")?.fill(Number.NaN);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { attempt: 2, weights });
  using model = await loadModel(experiment.blobs, { ...source, manifestSha256 });
  assert.throws(
    () => scoreText(model, { text: "a", ...whole }),
    (error) => error instanceof FailedPrecondition && error.reason === "NOT_FINITE",
  );
});
