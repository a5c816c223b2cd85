/** What the computing process does, on a model of 15,000 parameters, against the long way to the same numbers. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { sha256Hex } from "@pretrain/blobs";
import { DataLoss, FailedPrecondition, InvalidArgument, ResourceExhausted } from "@pretrain/errors";
import { assertClose } from "@pretrain/golden";
import { totalLoss } from "@pretrain/measures";
import { tf } from "@pretrain/tensorflow-native";
import { temporaryDirectory } from "@pretrain/testing";
import { costOf, greedy, plainModel } from "../test-support/plain-reference.ts";
import { tinyExperiment, tinyWeights, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import { Generations } from "./generations.ts";
import { loadModel } from "./load-model.ts";
import { ModelShelf } from "./model-shelf.ts";
import type { ModelSource } from "./protocol.ts";
import { scoreRows } from "./score-rows.ts";
import { scoreSample } from "./score-sample.ts";

const checkpoint = { experiment: "tiny", microStep: 8 };

async function setUp(t: Parameters<typeof temporaryDirectory>[0]) {
  const folder = temporaryDirectory(t);
  const experiment = await tinyExperiment(pathToFileURL(folder).href);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment);
  const { tokenizerBlob, tokenizerSha256 } = experiment;
  const source: ModelSource = { checkpoint, manifestSha256, tokenizerBlob, tokenizerSha256 };
  return { folder, experiment, source, load: () => loadModel(experiment.blobs, source) };
}

test("scoring rows", async (t) => {
  const { experiment, load } = await setUp(t);
  const { rows, tokenizer } = experiment;
  using model = await load();
  const plain = plainModel(tinyWeights(1));
  const batches = (size: number) =>
    Array.from({ length: Math.ceil(rows.length / size) }, (_, index) => rows.slice(index * size, (index + 1) * size));
  const scored = (size: number) => batches(size).flatMap((batch) => scoreRows(model, batch));

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

  await t.test("a row's bytes are those of its text; markers have none", () => {
    const whole = rows.filter(({ tokens }) => tokens.at(-1) === tokenizer.specialTokens.eos);
    assert.ok(whole.length >= 3 && whole.length < rows.length, `${whole.length} of ${rows.length} rows end with eos`);
    for (const row of whole) {
      const text = tokenizer.decode(row.tokens, { skipSpecialTokens: true });
      assert.equal(scoreRows(model, [row])[0]?.bytes, Buffer.byteLength(text));
    }
  });

  await t.test("a row of one token, and one of none, have no target", () => {
    const empty = [new Uint16Array(), new Uint16Array([1])].map((tokens, rowId) => ({ rowId, tokens }));
    assert.deepEqual(
      scoreRows(model, empty).map(({ nats, tokens, bytes }) => [nats, tokens, bytes]),
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    );
  });

  await t.test("a row that is longer than the model's sequences is refused by its id", () => {
    const row = { rowId: 17, tokens: new Uint16Array(65).fill(5) };
    assert.throws(() => scoreRows(model, [row]), /row 17 has 65 tokens, the model's sequences 64/);
  });

  await t.test("no tensor is left behind", () => {
    const before = tf.memory().numTensors;
    scored(3);
    assert.equal(tf.memory().numTensors, before);
  });
});

test("scoring a sample", async (t) => {
  const { experiment, load } = await setUp(t);
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

  await t.test("no tensor is left behind", async () => {
    const before = tf.memory().numTensors;
    for (const row of rows) await scoreSample(model, { row, inputLength, predictLength });
    assert.equal(tf.memory().numTensors, before);
  });
});

test("a loss that is no finite number is an error that names the row", async (t) => {
  const { experiment, source } = await setUp(t);
  const weights = tinyWeights(1);
  weights.get("norm.weight")?.fill(Number.NaN);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { weights });
  using model = await loadModel(experiment.blobs, { ...source, manifestSha256 });
  const [row] = experiment.rows;
  assert.ok(row !== undefined);
  const notFinite = (error: unknown) => error instanceof FailedPrecondition && /row 0: .* NaN/.test(error.message);
  assert.throws(() => scoreRows(model, [row]), notFinite);
  await assert.rejects(scoreSample(model, { row, inputLength: 12, predictLength: 8 }), notFinite);
});

test("a checkpoint is loaded only if it is exactly what was asked for", async (t) => {
  const { folder, experiment, source, load } = await setUp(t);
  const parts = join(folder, "experiments/tiny/checkpoints/8");

  await t.test("another manifest under the same name is another checkpoint", async () => {
    const replaced = loadModel(experiment.blobs, { ...source, manifestSha256: "0".repeat(64) });
    await assert.rejects(replaced, /CHECKPOINT_REPLACED|is now/);
  });

  await t.test("a tensor of another shape is refused by name", async () => {
    const weights = tinyWeights(1);
    weights.set("extra.weight", new Float32Array(1));
    weights.delete("norm.weight");
    await assert.rejects(writeTinyCheckpoint(experiment, { weights, microStep: 16 }), /norm.weight/);
  });

  await t.test("a tokenizer of another size than the model is refused", async () => {
    const other = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href, { vocabularySize: 290 });
    const bytes = await other.blobs.read(other.tokenizerBlob);
    await experiment.blobs.put(other.tokenizerBlob, bytes);
    const { tokenizerBlob, tokenizerSha256 } = other;
    await assert.rejects(
      loadModel(experiment.blobs, { ...source, tokenizerBlob, tokenizerSha256 }),
      /the tokenizer has 290 entries, the model 300/,
    );
  });

  await t.test("a tokenizer that is none is refused, and not taken for an accident", async () => {
    const bytes = Buffer.from("{}");
    const [tokenizerBlob, tokenizerSha256] = ["tokenizers/none.json", sha256Hex(bytes)];
    await experiment.blobs.put(tokenizerBlob, bytes);
    const none = loadModel(experiment.blobs, { ...source, tokenizerBlob, tokenizerSha256 });
    await assert.rejects(
      none,
      (error) => error instanceof FailedPrecondition && error.reason === "TOKENIZER_UNREADABLE",
    );
  });

  await t.test("a changed recipe makes its checkpoints foreign", async () => {
    const other = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href, { evaluation: { samples: 9 } });
    const original = await experiment.blobs.read("experiments/tiny/recipe.json");
    await experiment.blobs.put("experiments/tiny/recipe.json", await other.blobs.read("experiments/tiny/recipe.json"));
    await assert.rejects(load(), (error) => error instanceof DataLoss && error.reason === "CHECKPOINT_FOREIGN");
    await experiment.blobs.put("experiments/tiny/recipe.json", original);
  });

  await t.test("one flipped bit is found before a number is computed with it", async () => {
    const file = readdirSync(parts).find((name) => name.endsWith("model.safetensors")) ?? "";
    const bytes = readFileSync(join(parts, file));
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(join(parts, file), bytes);
    await assert.rejects(load(), (error) => error instanceof DataLoss && error.message.includes("model.safetensors"));
  });
});

test("continuing a prompt, a token at a time", async (t) => {
  const { experiment, load } = await setUp(t);
  using model = await load();
  const plain = plainModel(tinyWeights(1));
  const { bos, eos } = experiment.tokenizer.specialTokens;
  const drained = async (generations: Generations, generation: number) => {
    const tokens: number[] = [];
    for (let text = ""; ; ) {
      const next = await generations.next(generation);
      if ("stopReason" in next) return { tokens, text, stopReason: next.stopReason };
      tokens.push(next.token);
      text += next.text;
    }
  };
  const begin = (generations: Generations, prompt: string, maxNewTokens: number) =>
    generations.begin(model, prompt, maxNewTokens, () => undefined);

  await t.test("bos and the prompt are continued by the likeliest token each time", async () => {
    const generations = new Generations();
    const found = await drained(generations, begin(generations, "Call me", 10));
    const prompt = [bos, ...experiment.tokenizer.encode("Call me")];
    assert.deepEqual(found.tokens, greedy(plain, prompt, 10, eos));
    assert.equal(found.stopReason, found.tokens.at(-1) === eos ? "eos" : "max_new_tokens");
    assert.ok(experiment.tokenizer.decode(found.tokens, { skipSpecialTokens: true }).startsWith(found.text));
  });

  await t.test("with no new token asked for, none is made", async () => {
    const generations = new Generations();
    const { tokens, stopReason } = await drained(generations, begin(generations, "Call me", 0));
    assert.deepEqual([tokens, stopReason], [[], "max_new_tokens"]);
  });

  await t.test("the model's longest sequence ends it", async () => {
    const generations = new Generations();
    const { tokens, stopReason } = await drained(generations, begin(generations, "", 1000));
    assert.ok(stopReason === "max_sequence_length" ? tokens.length === 63 : stopReason === "eos", stopReason);
  });

  await t.test("two take turns without disturbing each other", async () => {
    const generations = new Generations();
    const [one, two] = [begin(generations, "Call me", 6), begin(generations, "Go from", 6)];
    const tokens: (number | undefined)[][] = [[], []];
    for (let turn = 0; turn < 6; turn += 1) {
      for (const [index, generation] of [one, two].entries()) {
        const next = await generations.next(generation);
        tokens[index]?.push("token" in next ? next.token : undefined);
      }
    }
    const ids = (prompt: string) => [bos, ...experiment.tokenizer.encode(prompt)];
    assert.deepEqual(tokens, [greedy(plain, ids("Call me"), 6, eos), greedy(plain, ids("Go from"), 6, eos)]);
  });

  await t.test("a prompt of as many tokens as the model has is accepted, one more is refused by name", () => {
    const [longest] = experiment.rows.filter(({ tokens }) => tokens.length === 64);
    const text = experiment.tokenizer.decode(longest?.tokens ?? [], { skipSpecialTokens: true });
    const generations = new Generations();
    begin(generations, text, 1);
    const tooLong = (error: unknown) => error instanceof InvalidArgument && error.violations[0]?.field === "prompt";
    assert.throws(() => begin(generations, `${text}${text}`, 1), tooLong);
  });

  await t.test("the fifth at once is refused, and accepted when one has ended", () => {
    const generations = new Generations();
    const first = begin(generations, "a", 1);
    for (const prompt of ["b", "c", "d"]) begin(generations, prompt, 1);
    assert.throws(() => begin(generations, "e", 1), ResourceExhausted);
    generations.end(first);
    begin(generations, "e", 1);
  });

  await t.test("what has ended gives no token, and no tensor is left of it", async () => {
    const generations = new Generations();
    const before = tf.memory().numTensors;
    const generation = begin(generations, "Call me", 5);
    await generations.next(generation);
    generations.end(generation);
    assert.equal(tf.memory().numTensors, before);
    await assert.rejects(generations.next(generation), /has ended/);
  });
});

test("a model stays in memory while it is the last used or somebody still reads it", async (t) => {
  const { experiment, source } = await setUp(t);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { microStep: 16, weights: tinyWeights(2) });
  const other = { ...source, checkpoint: { ...checkpoint, microStep: 16 }, manifestSha256 };
  const before = tf.memory().numTensors;
  let loads = 0;
  const shelf = new ModelShelf((wanted) => {
    loads += 1;
    return loadModel(experiment.blobs, wanted);
  });
  const first = await shelf.borrow(source);
  const tensors = tf.memory().numTensors - before;
  (await shelf.borrow(source)).release();
  assert.equal(loads, 1);
  const second = await shelf.borrow(other);
  assert.equal(tf.memory().numTensors - before, 2 * tensors);
  first.release();
  assert.equal(tf.memory().numTensors - before, tensors);
  second.release();
  assert.equal(tf.memory().numTensors - before, tensors);
  (await shelf.borrow(source)).release();
  assert.equal(tf.memory().numTensors - before, tensors);
  assert.equal(loads, 3);
});
