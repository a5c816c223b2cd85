/** The numbers of an evaluation, computed by hand from its sums and counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { assertClose } from "@pretrain/golden";
import { Evaluation_State, EvaluationSchema } from "@pretrain/proto";
import { evaluationNumbers } from "./evaluation-numbers.ts";

const measured = {
  state: Evaluation_State.SUCCEEDED,
  validationLoss: { nats: 12, tokens: 8n },
  textNats: 8 * Math.LN2, // 8 bits: eos cost the rest
  validationBytes: 4n,
  validationCharacters: 2n,
  calibration: {
    bins: [
      { low: 0, high: 0.5, tokens: 10n, confidenceSum: 4, correct: 3n },
      { low: 0.5, high: 1, tokens: 10n, confidenceSum: 8, correct: 9n },
    ],
  },
  overlap: { validationRuns: 8n, overlappingRuns: 1n },
  generation: {
    requestedTokens: 10n,
    generatedTokens: 9n,
    samples: 2n,
    eosFound: 1n,
    runs: [
      { runTokens: 2, runs: 7n, distinct: 6n, repeated: 1n },
      { runTokens: 4, runs: 3n, distinct: 3n, repeated: 0n },
    ],
    bleu: 30,
    chrf: 40,
  },
} satisfies MessageInitShape<typeof EvaluationSchema>;

test("each number is one quotient of sums", () => {
  const numbers = evaluationNumbers(create(EvaluationSchema, measured));
  const expected = {
    loss: 12 / 8,
    perplexity: Math.exp(1.5),
    bitsPerByte: 2,
    bitsPerCharacter: 4,
    top1Accuracy: 12 / 20,
    calibrationError: (1 + 1) / 20, // too sure by 1 in the first bin, not sure enough by 1 in the other
    trainOverlap: 1 / 8,
    completionRate: 9 / 10,
    eosRate: 1 / 2,
    distinct2: 6 / 7,
    repetition4: 0,
    bleu: 30,
    chrf: 40,
  };
  for (const [name, value] of Object.entries(expected)) {
    assertClose(numbers[name as keyof typeof expected] ?? Number.NaN, value, 1e-12, name);
  }
});

test("what was not counted is not there, and is no 0", () => {
  const numbers = evaluationNumbers(create(EvaluationSchema, { state: Evaluation_State.SUCCEEDED }));
  assert.deepEqual(new Set(Object.values(numbers)), new Set([undefined]));
  const empty = { state: Evaluation_State.SUCCEEDED, calibration: { bins: [{ low: 0, high: 1 }] }, textNats: 0 };
  const { top1Accuracy, calibrationError, bitsPerByte } = evaluationNumbers(create(EvaluationSchema, empty));
  assert.deepEqual([top1Accuracy, calibrationError, bitsPerByte], [undefined, undefined, undefined]);
});

test("an evaluation that failed, or was not certified, has no number whatever it holds", () => {
  for (const state of [Evaluation_State.FAILED, Evaluation_State.FAILED_CERTIFICATION, Evaluation_State.RUNNING]) {
    assert.deepEqual(evaluationNumbers(create(EvaluationSchema, { ...measured, state })), {});
  }
});
