/** What is said of each row of a batch, in which order, and how much of it where an answer would be too long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { StepExplanationSchema } from "@pretrain/proto";
import { stepExplanation } from "../explanation/explained-step.ts";
import { tinyTokenizer } from "../test-support/tiny-tokenizer.ts";
import { answerLimits, examinedRows } from "./examined-rows.ts";
import type { ReplayedStep } from "./protocol.ts";

const tokenizer = await tinyTokenizer();
const { bos, eos } = tokenizer.specialTokens;

/** Rows of these texts between their markers, each with these losses of its targets. */
function batchOf(rows: readonly (readonly [text: string, losses: readonly number[]])[]) {
  const ids = rows.map(([text]) => [bos, ...tokenizer.encode(text), eos]);
  const stride = Math.max(...ids.map(({ length }) => length));
  const tokens = new Uint16Array(rows.length * stride);
  for (const [place, row] of ids.entries()) tokens.set(row, place * stride);
  const batch = { tokens, lengths: Int32Array.from(ids, ({ length }) => length) };
  const program = {
    targetLosses: () => rows.map(([, losses]) => Float32Array.from(losses)),
    rowGradientNorm: (row: Uint16Array) => row.length / 4,
  };
  return { batch, program };
}

test("rows come by their loss per target: no number first, then the highest, equal ones as they stood, no target last", () => {
  const { batch, program } = batchOf([
    ["a", [1, 1]],
    ["b", [3, 2]],
    ["c", []],
    ["d", [Number.NaN, 0]],
    ["e", [2, 3]],
  ]);
  const rows = examinedRows(program, batch, tokenizer, 0);
  assert.deepEqual(
    rows.map(({ place, text }) => [place, text]),
    [
      [3, "d"],
      [1, "b"],
      [4, "e"],
      [0, "a"],
      [2, "c"],
    ],
  );
  assert.deepEqual(rows.map(({ lossNats, lossTokens }) => [lossNats, lossTokens])[1], [5, 2]);
});

test("targets and norm are given of as many rows as were asked for; a character stands with the token that ends it", () => {
  const { batch, program } = batchOf([
    ["é", [0.5, 1.5, 4]],
    ["a", [1, 1]],
  ]);
  const [first, second] = examinedRows(program, batch, tokenizer, 1);
  assert.deepEqual(
    first?.targets.map(({ text, nats }) => [text, nats]),
    [
      ["", 0.5],
      ["é", 1.5],
      ["<|im_end|>", 4],
    ],
  );
  assert.deepEqual(
    first?.targets.map(({ token }) => token),
    [...tokenizer.encode("é"), eos],
  );
  assert.deepEqual([first?.text, first?.gradientNorm], ["é", 1]); // four tokens
  assert.deepEqual([second?.targets, second?.gradientNorm], [[], undefined]);
});

test("a row that was cut inside a character shows what is left of it with its last token", () => {
  const { batch, program } = batchOf([["é", [1, 1]]]);
  const cut = { tokens: batch.tokens, lengths: Int32Array.of(2) }; // bos and the first byte
  const [row] = examinedRows({ ...program, targetLosses: () => [Float32Array.of(1)] }, cut, tokenizer, 1);
  assert.deepEqual(
    row?.targets.map(({ text }) => text),
    ["\uFFFD"],
  );
});

test("beyond the limits, rows are left out, texts end between two characters, and targets are listed while there is room", () => {
  const losses = [3, 3, 3, 3, 3];
  const { batch, program } = batchOf([
    ["ab", [9, 9, 9]],
    ["éé", losses],
    ["éé", losses],
    ["zz", [1, 1, 1]],
  ]);
  const rows = examinedRows(program, batch, tokenizer, 4, { rows: 3, textBytes: 9, targetBytes: 3 * 18 + 12 + 20 });
  assert.deepEqual(
    rows.map(({ place, text }) => [place, text]),
    [
      [0, "ab"],
      [1, "é"],
      [2, "é"],
    ],
  ); // 3 bytes each
  assert.deepEqual(
    rows.map(({ targets }) => targets.length),
    [3, 0, 0],
  );
});

for (const [claim, rows, tokens] of [
  ["128 rows of 512 tokens", 128, 512],
  ["the most rows that a batch can have", 65_536, 6],
  ["few rows of the longest sequences", 8, 65_536],
] as const) {
  test(`an answer about ${claim} is shorter than the 4 MiB that clients accept`, () => {
    const ids = Uint16Array.from({ length: rows * tokens }, (_, index) => 3 + ((31 * index) % 297));
    const batch = { tokens: ids, lengths: new Int32Array(rows).fill(tokens) };
    const program = {
      targetLosses: () => Array.from({ length: rows }, () => new Float32Array(tokens - 1).fill(0.1)),
      rowGradientNorm: () => 1,
    };
    const examined = examinedRows(program, batch, tokenizer, 1024);
    if (rows === 128) assert.ok(examined.every(({ targets }) => targets.length === tokens - 1)); // it fits whole
    const past = { microStep: 1, begin: 0, end: 1, last: 1 };
    const facts = { experiment: "experiments/a", past, attempt: 1, checkpoint: "", inexact: [] };
    const rowIds = Array.from({ length: rows }, (_, place) => 2 ** 40 + place);
    const step = { optimizerStep: 1, epoch: 1, lossNats: 1, lossTokens: 1, learningRate: 1 } as ReplayedStep;
    const explanation = stepExplanation(facts, { microSteps: 1, step, rows: examined, rowIds, update: undefined });
    const { length } = toBinary(StepExplanationSchema, explanation);
    assert.ok(length < 4 * 2 ** 20, `${length} bytes`);
    assert.equal(explanation.rows.length, Math.min(rows, answerLimits.rows));
  });
}
