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

  await t.test(
    "the loss of all rows is the same to 1e-6 for 1, 3, 8 and 32 rows at once, and for any order of them",
    () => {
      const many = Array.from({ length: 5 }, (_, copy) =>
        rows.map((row) => ({ ...row, rowId: 8 * copy + row.rowId })),
      ).flat();
      const ids = many.map(({ rowId }) => rowId);
      const orders = [ids, ids.toReversed(), ids.toSorted((a, b) => ((a * 37) % 41) - ((b * 37) % 41))];
      const expected = totalLoss(scoreRows(model, many, 1));
      let largest = 0;
      for (const size of [1, 3, 8, 32]) {
        for (const order of orders) {
          const found = scoreRows(model, order.flatMap((id) => many[id] ?? []), size); // biome-ignore format: one line
          const { nats, tokens } = totalLoss(found);
          assert.equal(tokens, expected.tokens);
          largest = Math.max(largest, Math.abs(nats / expected.nats - 1));
          assert.deepEqual(found.map(({ rowId }) => rowId), order); // biome-ignore format: one line
        }
      }
      t.diagnostic(`largest deviation of the loss per token: ${largest.toExponential(1)}`);
      assert.ok(largest < 1e-6, String(largest));
    },
  );

  await t.test("each target has its loss, whether the model foresaw it, and the probability of what it foresaw", () => {
    const [row = assert.fail()] = rows;
    const { targets } = scoreRows(model, [row], 1)[0] ?? assert.fail();
    const ids = [...row.tokens];
    assert.deepEqual([...targets.tokens], ids.slice(1));
    for (const [index, nats] of targets.nats.entries()) {
      const scores = plain.scores(ids.slice(0, index + 1)).at(-1) ?? [];
      const highest = Math.max(...scores);
      const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
      assertClose(nats, costOf(plain, ids, index + 1), 1e-5, `loss ${index}`);
      assertClose(targets.confidence[index] ?? 0, 1 / sum, 1e-5, `confidence ${index}`);
      assert.equal(targets.top1[index], Number(scores.indexOf(highest) === ids[index + 1]), `target ${index}`);
    }
    const all = scored(8).flatMap(({ targets: each }) => [...each.top1]);
    assert.ok(all.includes(0) && all.includes(1), "some were foreseen: else the test shows nothing");
  });

  await t.test("a token that the model does not have is refused by its row", () => {
    const row = { rowId: 17, tokens: new Uint16Array([1, 299, 300, 2]) };
    assert.throws(() => scoreRows(model, [row], 1), /row 17 has the token 300; the model has 0 to 299/);
  });

  await t.test("characters are counted where they begin, so that those of several tokens count once", () => {
    const text = "天下 naïve 🐋";
    const { bos, eos } = tokenizer.specialTokens;
    const tokens = Uint16Array.of(bos, ...tokenizer.encode(text), eos);
    assert.ok(
      [...tokens].some((id) => tokenizer.decode([id]).includes("\uFFFD")),
      "no character lies in several tokens",
    );
    const [loss] = scoreRows(model, [{ rowId: 0, tokens }], 1);
    assert.deepEqual([loss?.bytes, loss?.characters], [6 + 1 + 6 + 1 + 4, 2 + 1 + 5 + 1 + 1]);
  });

  await t.test("a row longer than the context is scored in windows, each target from as many tokens as fit", () => {
    const row = rows.find(({ tokens }) => tokens.length === 64) ?? assert.fail();
    const ids = [...row.tokens];
    const { targets, context } = scoreRows(model, [row], 1, { context: 16, stride: 16 })[0] ?? assert.fail();
    assert.deepEqual([context, targets.nats.length], [16, 63]);
    for (const [index, nats] of targets.nats.entries()) {
      const end = Math.min(16 * (Math.floor(index / 16) + 1), 63); // behind the window's last target
      const begin = Math.max(end - 16, 0);
      assertClose(nats, costOf(plain, ids.slice(begin), index + 1 - begin), 1e-5, `target ${index}`);
    }
  });

  await t.test("a row longer than the model's sequences is scored, in windows of a whole sequence", () => {
    const long = rows.flatMap(({ tokens }) => [...tokens]).slice(0, 150);
    const [loss = assert.fail()] = scoreRows(model, [{ rowId: 17, tokens: Uint16Array.from(long) }], 1);
    assert.deepEqual([loss.tokens, loss.context], [149, 64]);
    const last = long.slice(149 - 64); // 64 tokens, and the one that they predict
    assertClose(loss.targets.nats.at(-1) ?? 0, costOf(plain, last, 64), 1e-5);
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

  await t.test(
    "with a context the true continuation is scored in windows of it; what is generated reads everything",
    async () => {
      const [row = assert.fail()] = rows;
      const window = { context: 10, stride: 5 };
      const { nats, generated } = await scoreSample(model, { row, inputLength, predictLength, window });
      const ids = [...row.tokens.subarray(0, 20)];
      // Targets 10 to 14 are read from 5 to 14, 15 to 18 from 9 to 18; the last of the 20 tokens is target 18.
      const costs = Array.from({ length: predictLength }, (_, index) => {
        const target = inputLength - 1 + index;
        const begin = target < 15 ? 5 : 9;
        return costOf(plain, ids.slice(begin), target + 1 - begin);
      });
      assertClose(nats, costs.reduce((sum, cost) => sum + cost, 0), 1e-4); // biome-ignore format: one line
      assert.deepEqual(generated, (await scoreSample(model, { row, inputLength, predictLength })).generated);
      assert.deepEqual(generated, greedy(plain, ids.slice(0, inputLength), predictLength, eos));
    },
  );

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
