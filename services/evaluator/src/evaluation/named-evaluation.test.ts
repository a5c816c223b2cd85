/** Which evaluation a name means, and why some that exist are not compared. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { FailedPrecondition, InvalidArgument, NotFound, PretrainError } from "@pretrain/errors";
import {
  CorrectionSchema,
  type Evaluation,
  EvaluationSchema,
  EvaluationSettingsSchema,
  Evaluation_State as State,
} from "@pretrain/proto";
import { namedEvaluation } from "./named-evaluation.ts";

const settings = { samples: 3, inputLength: 12, predictLength: 8, batchRows: 3 };
type Fields = Partial<Pick<Evaluation, "state" | "error" | "settings" | "supersedes">>;

let seconds = 0;

const evaluation = (name: string, microStep: number, fields: Fields = {}): Evaluation =>
  create(EvaluationSchema, {
    name: `evaluations/${name}`,
    checkpoint: `experiments/tiny/checkpoints/${microStep}`,
    microStep: BigInt(microStep),
    state: State.SUCCEEDED,
    settings,
    createTime: timestampFromDate(new Date(1000 * (seconds += 1))),
    endTime: timestampFromDate(new Date(1000 * seconds)),
    ...fields,
  });

const correcting = (name: string): Fields => ({
  supersedes: create(CorrectionSchema, { evaluation: `evaluations/${name}`, cause: "a wrong slice" }),
});

const otherSettings = { settings: create(EvaluationSettingsSchema, { ...settings, context: 16 }) };

const evaluations = [
  evaluation("tiny-8", 8),
  evaluation("tiny-8-b1", 8, { settings: create(EvaluationSettingsSchema, { ...settings, batchRows: 1 }) }),
  evaluation("tiny-8-c16", 8, otherSettings),
  evaluation("tiny-16", 16),
  evaluation("tiny-16-fixed", 16, correcting("tiny-16")),
  evaluation("tiny-24", 24, { state: State.FAILED_CERTIFICATION, error: "causality: 3 nats, at most 1e-5" }),
  evaluation("tiny-32", 32, otherSettings),
  evaluation("tiny-40", 40),
  evaluation("tiny-40-failed", 40, { ...correcting("tiny-40"), state: State.FAILED }),
  evaluation("tiny-48", 48, { state: State.RUNNING }),
];

const naming = { evaluations, recipeSettings: async () => create(EvaluationSettingsSchema, settings) };

for (const [name, meant, why] of [
  ["evaluations/tiny-8-c16", "tiny-8-c16", "itself, whatever its settings"],
  [
    "experiments/tiny/checkpoints/8",
    "tiny-8-b1",
    "the newest by the recipe's settings; how many rows at once is no matter",
  ],
  ["experiments/Tiny/checkpoints/8", "tiny-8-b1", "in any spelling of the experiment"],
  ["experiments/tiny/checkpoints/16", "tiny-16-fixed", "its correction"],
  ["experiments/tiny/checkpoints/40", "tiny-40", "which a correction that failed did not supersede"],
  [
    "experiments/tiny",
    "tiny-40",
    "the last checkpoint that has one: a later one failed, is under way, or has other settings",
  ],
] as const) {
  test(`${name} means ${meant}: ${why}`, async () => {
    assert.equal((await namedEvaluation(name, "baseline", naming)).name, `evaluations/${meant}`);
  });
}

for (const [name, kind, reason, message] of [
  ["evaluations/none", NotFound, "EVALUATION_NOT_FOUND", /there is no evaluation evaluations\/none/],
  [
    "evaluations/tiny-24",
    FailedPrecondition,
    "NO_NUMBERS",
    /is FAILED_CERTIFICATION and has no numbers: causality: 3 nats/,
  ],
  ["evaluations/tiny-48", FailedPrecondition, "NO_NUMBERS", /is RUNNING and has no numbers$/],
  [
    "evaluations/tiny-16",
    FailedPrecondition,
    "SUPERSEDED",
    /superseded by evaluations\/tiny-16-fixed \(a wrong slice\); compare that/,
  ],
  [
    "experiments/tiny/checkpoints/24",
    FailedPrecondition,
    "NOT_MEASURED",
    /evaluations\/tiny-24 is FAILED_CERTIFICATION/,
  ],
  ["experiments/tiny/checkpoints/32", FailedPrecondition, "NOT_MEASURED", /by its recipe's settings/],
  ["experiments/other", FailedPrecondition, "NOT_MEASURED", /experiments\/other has no evaluation/],
  ["tiny", InvalidArgument, "BAD_REQUEST", /no name of an evaluation, a checkpoint or an experiment/],
  ["experiments/tiny/checkpoints/08", InvalidArgument, "BAD_REQUEST", /candidate/],
] as const) {
  test(`${name} is refused: ${reason}`, async () => {
    await assert.rejects(namedEvaluation(name, "candidate", naming), (error) => {
      assert.ok(error instanceof kind && error instanceof PretrainError && error.reason === reason, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}
