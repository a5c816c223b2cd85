/** Losses and samples of a model of 15,000 parameters, against the long way to the same numbers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import { totalLoss } from "@pretrain/measures";
import { predictions } from "@pretrain/model";
import { nextTokenLoss } from "@pretrain/scoring";
import { tf } from "@pretrain/tensorflow-native";
import { loadedExperiment } from "../test-support/loaded-experiment.ts";
import { costOf, greedy, plainModel } from "../test-support/plain-reference.ts";
import { tinyShape, tinyWeights, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import { tinyTensors } from "../test-support/tiny-tensors.ts";
import { loadModel } from "./load-model.ts";
import { scoreRows } from "./score-rows.ts";
import { scoreSample } from "./score-sample.ts";

test("scoring rows", async (t) => {
  const { experiment, load } = await loadedExperiment(t);
  const { rows, tokenizer } = experiment;
  using model = await load();
  const plain = plainModel(tinyWeights(1));
  const scored = (size: number) => scoreRows(model, rows, size);

  await t.test("a row's loss is the sum of what each token but the first costs, eos included", () => {
    for (const [index, { nats, tokens }] of scored(1).entries()) {
      const ids = [...(rows[index]?.tokens ?? [])];
      const costs = ids.slice(1).map((_, behind) => costOf(plain, ids, behind + 1));
      assert.equal(tokens, ids.length - 1);
      assertClose(
        nats,
        costs.reduce((sum, cost) => sum + cost, 0),
        1e-4,
        `row ${index}`,
      );
    }
  });

  await t.test("the number of rows scored at once changes no number: padding costs nothing and is not counted", () => {
    const alone = totalLoss(scored(1));
    assert.equal(
      alone.tokens,
      rows.reduce((sum, row) => sum + row.tokens.length - 1, 0),
    );
    for (const size of [2, 3, 8]) {
      const together = totalLoss(scored(size));
      assert.equal(together.tokens, alone.tokens);
      assertClose(together.nats / alone.nats, 1, 1e-6, `${size} rows at once`);
    }
  });

  await t.test("a row's bytes and the loss of its text are those of the text; markers have neither", () => {
    const whole = rows.filter(({ tokens }) => tokens.at(-1) === tokenizer.specialTokens.eos);
    assert.ok(whole.length >= 3 && whole.length < rows.length, `${whole.length} of ${rows.length} rows end with eos`);
    for (const row of whole) {
      const text = tokenizer.decode(row.tokens, { skipSpecialTokens: true });
      const [loss] = scoreRows(model, [row], 1);
      assert.equal(loss?.bytes, Buffer.byteLength(text));
      const [withoutEos] = scoreRows(model, [{ ...row, tokens: row.tokens.subarray(0, -1) }], 1);
      assertClose(loss?.textNats ?? 0, withoutEos?.nats ?? 1, { relative: 1e-6 });
    }
  });

  await t.test("in one batch or apart, the eager way has the same losses", () => {
    const weights = tinyTensors(tinyWeights(1));
    for (const [index, { nats }] of scored(8).entries()) {
      const ids = rows[index]?.tokens ?? new Uint16Array();
      const tokens = tf.tensor2d([...ids], [1, ids.length], "int32");
      const counts = tf.ones<tf.Rank.R2>([1, ids.length]);
      const [eager = Number.NaN] = nextTokenLoss(
        predictions(weights, tokens, tinyShape),
        tokens,
        counts,
      ).nats.dataSync();
      assertClose(nats, eager, { relative: 2e-6 }, `row ${index}`);
    }
  });

  await t.test("a row of one token, and one of none, have no target", () => {
    const empty = [new Uint16Array(), new Uint16Array([1])].map((tokens, rowId) => ({ rowId, tokens }));
    assert.deepEqual(
      scoreRows(model, empty, 2).map(({ nats, tokens, bytes }) => [nats, tokens, bytes]),
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    );
  });

  await t.test("a row that is longer than the model's sequences is refused by its id", () => {
    const row = { rowId: 17, tokens: new Uint16Array(65).fill(5) };
    assert.throws(() => scoreRows(model, [row], 1), /row 17 has 65 tokens, the model's sequences 64/);
  });
});

test("scoring a sample", async (t) => {
  const { experiment, load } = await loadedExperiment(t);
  using model = await load();
  const plain = plainModel(tinyWeights(1));
  const { eos } = experiment.tokenizer.specialTokens;
  const [inputLength, predictLength] = [12, 8];
  const rows = experiment.rows.filter(({ tokens }) => tokens.length >= inputLength + predictLength);
  assert.ok(rows.length >= 4);

  await t.test("the true continuation costs what its own tokens cost, not those beside them", async () => {
    for (const row of rows) {
      const { nats, tokens } = await scoreSample(model, { row, inputLength, predictLength });
      const ids = [...row.tokens];
      const costs = Array.from({ length: predictLength }, (_, index) => costOf(plain, ids, inputLength + index));
      assert.equal(tokens, 8);
      assertClose(
        nats,
        costs.reduce((sum, cost) => sum + cost, 0),
        1e-4,
        `row ${row.rowId}`,
      );
    }
  });

  await t.test("it generates as many tokens as asked for, the likeliest each time, and says why it ended", async () => {
    for (const row of rows) {
      const sample = await scoreSample(model, { row, inputLength, predictLength });
      const expected = greedy(plain, [...row.tokens.subarray(0, inputLength)], predictLength, eos);
      assert.equal(sample.generatedTokens, expected.length);
      assert.equal(sample.stopReason, expected.at(-1) === eos ? "eos" : "max_new_tokens");
      const all = [...row.tokens.subarray(0, inputLength), ...expected];
      const text = experiment.tokenizer.decode(all, { skipSpecialTokens: true });
      assert.ok(text.startsWith(sample.inputText + sample.predictedText), JSON.stringify(sample));
    }
  });

  await t.test("generation ends at the longest sequence that the model has", async () => {
    const row = rows.find(({ tokens }) => tokens.length === 64);
    assert.ok(row !== undefined);
    const sample = await scoreSample(model, { row, inputLength: 60, predictLength: 4 });
    assert.equal(sample.generatedTokens, 4);
    const cut = await scoreSample(model, { row: { ...row, tokens: row.tokens }, inputLength: 63, predictLength: 1 });
    assert.equal(cut.generatedTokens, 1);
  });

  await t.test("a cut inside a character gives the character whole to the later text", async () => {
    const row = rows.find(({ rowId }) => rowId === 2); // Chinese: three bytes a character
    assert.ok(row !== undefined);
    const text = experiment.tokenizer.decode(row.tokens, { skipSpecialTokens: true });
    let cuts = 0;
    for (let length = 4; length < 16; length += 1) {
      const { inputText, trueText } = await scoreSample(model, { row, inputLength: length, predictLength: 8 });
      assert.ok(text.startsWith(inputText + trueText), `${inputText}|${trueText}`);
      const decoded = experiment.tokenizer.decode(row.tokens.subarray(0, length), { skipSpecialTokens: true });
      cuts += Number(decoded.endsWith("\uFFFD"));
    }
    assert.ok(cuts > 0, "no cut fell inside a character: the test shows nothing");
  });
});

test("a loss that is no finite number is an error that names the row", async (t) => {
  const { experiment, source } = await loadedExperiment(t);
  const weights = tinyWeights(1);
  weights.get("norm.weight")?.fill(Number.NaN);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { attempt: 2, weights });
  using model = await loadModel(experiment.blobs, { ...source, manifestSha256 });
  const [row] = experiment.rows;
  assert.ok(row !== undefined);
  const notFinite = (error: unknown) => error instanceof FailedPrecondition && /row 0: .* NaN/.test(error.message);
  assert.throws(() => scoreRows(model, [row], 1), notFinite);
  await assert.rejects(scoreSample(model, { row, inputLength: 12, predictLength: 8 }), notFinite);
});
