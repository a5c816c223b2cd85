import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { sha256Hex } from "@pretrain/blobs";
import { AlreadyExists, DataLoss, InvalidArgument, NotFound, Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  EvaluateCheckpointRequestSchema,
  Experiment_State as ExperimentState,
  GetEvaluationRequestSchema,
  ListEvaluationsRequestSchema,
  Evaluation_State as State,
  StateChangedSchema,
} from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { discharge } from "../stores/duties.ts";
import { RecordingBroker } from "../test-support/recording-broker.ts";
import { RecordsInMemory } from "../test-support/records-in-memory.ts";
import {
  checkpointWritten as eventOf,
  tinyExperiment,
  tinyWeights,
  writeTinyCheckpoint,
} from "../test-support/tiny-experiment.ts";
import { checkpointWritten } from "./checkpoint-written.ts";
import { evaluateCheckpoint } from "./evaluate-checkpoint.ts";
import { experimentEnded } from "./experiment-ended.ts";
import { getEvaluation } from "./get-evaluation.ts";
import { listEvaluations } from "./list-evaluations.ts";

async function setUp(t: TestContext) {
  const experiment = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href);
  const sealed = await writeTinyCheckpoint(experiment);
  const records = new RecordsInMemory();
  const broker = new RecordingBroker();
  const { blobs } = experiment;
  let woken = 0;
  let second = 0;
  const now = () => new Date(1000 * (second += 1));
  const dependencies = { records, broker, blobs, now, wake: () => void (woken += 1), log: createLog("test", "fatal") };
  const handle = evaluateCheckpoint(dependencies);
  const evaluate = (fields: MessageInitShape<typeof EvaluateCheckpointRequestSchema> = {}) =>
    handle(create(EvaluateCheckpointRequestSchema, { checkpoint: "experiments/tiny/checkpoints/8", ...fields }));
  const announced = checkpointWritten(dependencies);
  const ended = experimentEnded(dependencies);
  const names = async () => (await records.list()).map(({ key }) => key);
  return { experiment, sealed, records, broker, evaluate, announced, ended, names, woken: () => woken };
}

test("an announced checkpoint becomes a waiting evaluation by the recipe's settings, with a piece of work", async (t) => {
  const { sealed, records, broker, announced, woken } = await setUp(t);
  await announced(eventOf(sealed));
  const evaluation = (await records.get("tiny-8"))?.value.evaluation;
  assert.equal(evaluation?.state, State.PENDING);
  assert.equal(evaluation?.checkpointSha256, sealed.manifestSha256);
  const { samples, inputLength, predictLength, batchRows } = evaluation?.settings ?? {};
  assert.deepEqual([samples, inputLength, predictLength, batchRows], [3, 12, 8, 3]);
  assert.deepEqual([broker.heard, woken()], [["enqueue tiny-8"], 1]);
});

test("the event again, and asking for the same, find that evaluation and enqueue nothing", async (t) => {
  const { sealed, broker, announced, evaluate, names } = await setUp(t);
  await announced(eventOf(sealed));
  await announced(eventOf(sealed));
  const asked = await evaluate();
  assert.equal(asked.name, "evaluations/tiny-8");
  assert.equal((await evaluate({ checkpoint: "experiments/Tiny/checkpoints/8" })).name, asked.name);
  assert.deepEqual([await names(), broker.heard], [["tiny-8"], ["enqueue tiny-8"]]);
});

test("a checkpoint whose announcement was lost is evaluated when its experiment has ended, and none twice", async (t) => {
  const { experiment, sealed, broker, announced, ended, names } = await setUp(t);
  await writeTinyCheckpoint(experiment, { microStep: 16 });
  await announced(eventOf(sealed));
  const changed = (to: ExperimentState) =>
    ended(create(StateChangedSchema, { experiment: "experiments/tiny", from: ExperimentState.PREPARING, to }));
  await changed(ExperimentState.RUNNING);
  assert.deepEqual(await names(), ["tiny-8"]);
  await changed(ExperimentState.COMPLETED);
  assert.deepEqual(
    [await names(), broker.heard],
    [
      ["tiny-8", "tiny-16"],
      ["enqueue tiny-8", "enqueue tiny-16"],
    ],
  );
});

test("a broker that does not answer leaves a record that the sweep enqueues", async (t) => {
  const { sealed, records, broker, announced } = await setUp(t);
  broker.isAway = true;
  await assert.rejects(announced(eventOf(sealed)), Unavailable);
  assert.equal((await records.get("tiny-8"))?.value.enqueued, false);
  broker.isAway = false;
  for (const stored of await records.list()) await discharge({ records, broker }, stored);
  assert.deepEqual([broker.heard, (await records.get("tiny-8"))?.value.enqueued], [["enqueue tiny-8"], true]);
});

test("other settings are another evaluation beside the recipe's", async (t) => {
  const { sealed, announced, evaluate, names } = await setUp(t);
  await announced(eventOf(sealed));
  const { name } = await evaluate({ settings: { samples: 1, inputLength: 4, predictLength: 4, batchRows: 1 } });
  assert.match(name, /^evaluations\/tiny-8-[a-f][0-9a-f]{7}$/);
  assert.equal((await names()).length, 2);
});

test("a checkpoint written anew under its name is measured anew, and the old evaluation stays", async (t) => {
  const { experiment, sealed, records, announced, names } = await setUp(t);
  await announced(eventOf(sealed));
  const again = await writeTinyCheckpoint(experiment, { attempt: 2, weights: tinyWeights(2) });
  await announced(eventOf(again));
  await announced(eventOf(again));
  const [first, second, ...more] = await names();
  assert.deepEqual([first, more], ["tiny-8", []]);
  assert.equal((await records.get(second ?? ""))?.value.evaluation?.checkpointSha256, again.manifestSha256);
});

test("an announced checkpoint whose recipe is gone is an evaluation without settings, which everybody sees", async (t) => {
  const { experiment, sealed, records, announced } = await setUp(t);
  await experiment.blobs.delete("experiments/tiny/recipe.json");
  await announced(eventOf(sealed));
  assert.equal((await records.get("tiny-8"))?.value.evaluation?.settings, undefined);
});

test("an event that names no checkpoint is passed over", async (t) => {
  const { sealed, announced, names } = await setUp(t);
  const event = eventOf(sealed);
  await announced({ ...event, checkpoint: { ...(event.checkpoint ?? assert.fail()), name: "experiments/../x" } });
  assert.deepEqual(await names(), []);
});

test("the same request_id with the same request is answered alike; with another one it is refused", async (t) => {
  const { evaluate, names } = await setUp(t);
  const first = await evaluate({ requestId: "one" });
  assert.equal((await evaluate({ requestId: "one" })).name, first.name);
  const settings = { samples: 1, inputLength: 4, predictLength: 4, batchRows: 1 };
  const other = evaluate({ requestId: "one", settings });
  await assert.rejects(other, (error) => error instanceof AlreadyExists && error.reason === "REQUEST_ID_REUSED");
  assert.deepEqual(await names(), ["tiny-8"]);
});

test("of two different requests at the same moment under one request_id, exactly one is accepted", async (t) => {
  const { evaluate, names } = await setUp(t);
  const settings = { samples: 1, inputLength: 4, predictLength: 4, batchRows: 1 };
  const both = await Promise.allSettled([evaluate({ requestId: "one" }), evaluate({ requestId: "one", settings })]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal((await names()).length, 1);
});

for (const [claim, fields, kind] of [
  ["a checkpoint that is not there", { checkpoint: "experiments/tiny/checkpoints/9" }, NotFound],
  ["an experiment that is not there", { checkpoint: "experiments/huge/checkpoints/8" }, NotFound],
  ["a name that is none", { checkpoint: "experiments/tiny/checkpoints/08" }, InvalidArgument],
  [
    "a sample longer than the model's sequences",
    { settings: { samples: 1, inputLength: 60, predictLength: 5, batchRows: 1 } },
    InvalidArgument,
  ],
] as const) {
  test(`${claim} is refused, and nothing is written`, async (t) => {
    const { evaluate, names } = await setUp(t);
    await assert.rejects(evaluate({ ...fields, requestId: "r" }), kind);
    assert.deepEqual(await names(), []);
    await evaluate({ requestId: "r" }); // the id is still free
  });
}

test("a damaged recipe is an error that names the blob", async (t) => {
  const { experiment, evaluate } = await setUp(t);
  await experiment.blobs.put("experiments/tiny/recipe.json", Buffer.from('{"model": '));
  await assert.rejects(evaluate(), (error) => error instanceof DataLoss && error.message.includes("recipe.json"));
});

test("request ids of any text are kept under keys that any store takes", async (t) => {
  const { experiment, evaluate } = await setUp(t);
  await evaluate({ requestId: "../ä/😀" });
  const kept = await Array.fromAsync(experiment.blobs.list("requests/"));
  assert.deepEqual(
    kept.map(({ key }) => key),
    [`requests/evaluate-checkpoint/${sha256Hex(Buffer.from("../ä/😀"))}`],
  );
});

test("GetEvaluation answers the record with its revision as etag, or NOT_FOUND", async (t) => {
  const { records, evaluate } = await setUp(t);
  const asked = await evaluate();
  const get = getEvaluation({ records });
  const { value, revision } = (await records.get("tiny-8")) ?? assert.fail();
  const found = await get(create(GetEvaluationRequestSchema, { name: asked.name }));
  assert.deepEqual(found, { ...value.evaluation, etag: String(revision) });
  await assert.rejects(get(create(GetEvaluationRequestSchema, { name: "evaluations/none" })), NotFound);
});

test("ListEvaluations shows those of an experiment, in any spelling of its id, newest first", async (t) => {
  const { experiment, sealed, records, announced } = await setUp(t);
  await announced(eventOf(sealed));
  await announced(eventOf(await writeTinyCheckpoint(experiment, { microStep: 16 })));
  const list = listEvaluations({ records });
  const namesOf = async (of: string) => {
    const { evaluations } = await list(create(ListEvaluationsRequestSchema, { experiment: of }));
    return evaluations.map(({ name }) => name);
  };
  assert.deepEqual(await namesOf("experiments/TINY"), ["evaluations/tiny-16", "evaluations/tiny-8"]);
  assert.deepEqual(await namesOf("experiments/other"), []);
  await assert.rejects(namesOf("tiny"), InvalidArgument);
});
