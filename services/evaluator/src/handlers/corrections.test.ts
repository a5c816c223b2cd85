/** Corrections: what may be corrected, what the corrected record comes to say, and what a crash in between leaves. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument, NotFound, PretrainError, Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import {
  EvaluateCheckpointRequestSchema,
  type Evaluation,
  ListEvaluationsRequestSchema,
  Evaluation_State as State,
} from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { carryOut, type Means } from "../attempt/carry-out.ts";
import { ended, resourceOf } from "../evaluation/lifecycle.ts";
import { measurement } from "../evaluation/measurement.ts";
import { settingsOfRecipe } from "../evaluation/settings.ts";
import { discharge } from "../stores/duties.ts";
import { validCertificate } from "../test-support/certificates.ts";
import { RecordingBroker } from "../test-support/recording-broker.ts";
import { RecordsInMemory } from "../test-support/records-in-memory.ts";
import { kept, rowLoss } from "../test-support/row-losses.ts";
import { datasetSha256, tinyExperiment, tinyWeights, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import { evaluateCheckpoint } from "./evaluate-checkpoint.ts";
import { listEvaluations } from "./list-evaluations.ts";

const never = new AbortController().signal;
const first = "evaluations/tiny-8";
const slip = { evaluation: first, cause: "the slice began a token late", fix: "[input_length-1 : …]", author: "qa" };

/** An evaluator whose measurements cost so many nats for each of 4 tokens, in the order in which they are made. */
async function setUp(t: TestContext, ...natsPerToken: readonly (number | Error)[]) {
  const experiment = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href);
  const sealed = await writeTinyCheckpoint(experiment);
  const { blobs } = experiment;
  const [records, broker] = [new RecordsInMemory(), new RecordingBroker()];
  let second = 0;
  const now = () => new Date(1000 * (second += 1));
  const log = createLog("test", "fatal");
  const left = [...natsPerToken];
  const measure: Means["measure"] = async () => {
    const next = left.shift() ?? 1;
    if (typeof next !== "number") throw next;
    const rows = [rowLoss({ nats: 4 * next, tokens: 4, bytes: 3 })];
    const numbers = measurement({ settings: settingsOfRecipe(experiment.recipe), rows, samples: [], skippedRows: 0 });
    const { tokenizerSha256 } = experiment;
    return {
      ...numbers,
      ...kept,
      dataset: "datasets/d",
      datasetSha256,
      tokenizerSha256,
      certificate: validCertificate,
    };
  };
  const handle = evaluateCheckpoint({ records, broker, blobs, now, wake: () => {} });
  const ask = (fields: MessageInitShape<typeof EvaluateCheckpointRequestSchema> = {}) =>
    handle(create(EvaluateCheckpointRequestSchema, { checkpoint: "experiments/tiny/checkpoints/8", ...fields }));
  const take = ({ name }: Evaluation) => carryOut({ records, broker, blobs, measure, now, log }, idOf(name), 1, never);
  const get = async (name: string) => {
    const stored = (await records.get(idOf(name))) ?? assert.fail(name);
    return resourceOf(stored.value, stored.revision);
  };
  /** Asked for and measured. */
  const correct = async (fields: Partial<typeof slip> = {}) => {
    const asked = await ask({ supersedes: { ...slip, ...fields } });
    await take(asked);
    return await get(asked.name);
  };
  return { experiment, sealed, records, broker, ask, take, get, correct };
}

function idOf(name: string): string {
  return name.replace("evaluations/", "");
}

test("a correction that succeeds is an evaluation of its own, and the old one says by which it is superseded", async (t) => {
  const { ask, take, get, correct, records } = await setUp(t, 12.34, 2.26);
  await take(await ask());
  const before = await get(first);
  const correction = await correct();
  assert.match(correction.name, /^evaluations\/tiny-8-[a-f][0-9a-f]{7}$/);
  assert.deepEqual(
    { ...correction.supersedes, $typeName: "" },
    { $typeName: "", evaluation: first, cause: slip.cause, fix: slip.fix, author: "qa" },
  );
  assert.equal(correction.validationLoss?.natsPerToken, 2.26);
  const after = await get(first);
  assert.deepEqual({ ...after, supersededBy: "", etag: before.etag }, before); // nothing else has changed, 12.34 least of all
  assert.equal(after.supersededBy, correction.name);
  const { evaluations } = await listEvaluations({ records })(create(ListEvaluationsRequestSchema, {}));
  assert.deepEqual(
    evaluations.map(({ name, supersededBy }) => [name, supersededBy]),
    [
      [correction.name, ""],
      [first, correction.name],
    ],
  );
});

test("until it succeeds, and if it fails, nothing is superseded", async (t) => {
  const { ask, take, get } = await setUp(t, 12.34, new NotFound("GONE", "the dataset is gone"));
  await take(await ask());
  const correction = await ask({ supersedes: slip });
  assert.equal((await get(first)).supersededBy, "");
  await take(correction);
  assert.equal((await get(correction.name)).state, State.FAILED);
  assert.equal((await get(first)).supersededBy, "");
});

test("the same correction asked for again is the same evaluation, also when it has superseded; other words are another", async (t) => {
  const { ask, take, correct, get, records } = await setUp(t, 12.34, 2.26);
  await take(await ask());
  const asked = await ask({ supersedes: slip });
  assert.equal((await ask({ supersedes: slip })).name, asked.name);
  const other = await ask({ supersedes: { ...slip, cause: "the loop ended a token early" } });
  assert.notEqual(other.name, asked.name);
  await take(asked);
  assert.equal((await correct()).name, asked.name);
  assert.equal((await get(first)).supersededBy, asked.name);
  assert.equal((await records.list()).length, 3);
});

test("a correction can be corrected in its turn", async (t) => {
  const { ask, take, correct, get } = await setUp(t, 12.34, 2.27, 2.26);
  await take(await ask());
  const second = await correct();
  const third = await correct({ evaluation: second.name, cause: "a typing error" });
  assert.deepEqual(
    [(await get(first)).supersededBy, (await get(second.name)).supersededBy, third.supersededBy],
    [second.name, third.name, ""],
  );
});

test("of two corrections made side by side the one that ended last is named, in either order of telling", async (t) => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { ask, take, get, records, broker } = await setUp(t, 12.34, 2.3, 2.26);
    await take(await ask());
    const both = [await ask({ supersedes: slip }), await ask({ supersedes: { ...slip, author: "qb" } })];
    broker.isAway = true; // both end and tell nobody
    for (const each of both) await assert.rejects(take(each), Unavailable);
    broker.isAway = false;
    for (const index of order) {
      const stored = await records.get(idOf(both[index]?.name ?? ""));
      await discharge({ records, broker }, stored ?? assert.fail());
    }
    assert.equal((await get(first)).supersededBy, both[1]?.name);
  }
});

test("killed before each write of its end, a correction is announced once and told, and the old event stays what it was", async (t) => {
  for (let deadAtUpdate = 1; ; deadAtUpdate += 1) {
    const { ask, take, get, records, broker } = await setUp(t, 12.34, 2.26, 2.26);
    await take(await ask());
    const told = ended((await records.get("tiny-8"))?.value ?? assert.fail(), "tiny");
    const correction = await ask({ supersedes: slip });
    let updates = 0;
    records.beforeUpdate = async () => {
      updates += 1;
      if (updates === deadAtUpdate) throw new Error("killed");
    };
    const survived = await take(correction).then(
      () => true,
      () => false,
    );
    records.beforeUpdate = () => Promise.resolve();
    if (survived) {
      assert.ok(deadAtUpdate > 4, `${deadAtUpdate - 1} updates`); // begun, ended, announced, superseded, told
      break;
    }
    await take(correction); // delivered again
    for (const stored of await records.list()) await discharge({ records, broker }, stored);
    const old = await records.get("tiny-8");
    assert.equal((await get(first)).supersededBy, correction.name, `killed at update ${deadAtUpdate}`);
    assert.deepEqual(ended(old?.value ?? assert.fail(), "tiny"), told);
    assert.equal((await get(correction.name)).state, State.SUCCEEDED);
    assert.equal((await records.get(idOf(correction.name)))?.value.toldSuperseded, true);
  }
});

test("it measures what the old one measured: with its settings, where none are given", async (t) => {
  const { ask, take, get } = await setUp(t, 12.34);
  const settings = { samples: 1, inputLength: 4, predictLength: 4, batchRows: 1 };
  const old = await ask({ settings });
  await take(old);
  const correction = await ask({ supersedes: { ...slip, evaluation: old.name } });
  assert.deepEqual(correction.settings, (await get(old.name)).settings);
  const faster = await ask({ supersedes: { ...slip, evaluation: old.name }, settings: { ...settings, batchRows: 8 } });
  assert.equal(faster.settings?.batchRows, 8); // which changes no number
});

test("what cannot be corrected is refused by name, and nothing is written", async (t) => {
  const { experiment, ask, take, correct, get, records } = await setUp(t, 12.34, 2.26, new NotFound("GONE", "gone"));
  await writeTinyCheckpoint(experiment, { microStep: 16 });
  await take(await ask());
  const { name: failed } = await ask({ supersedes: { ...slip, author: "somebody else" } }); // will
  const refused = async (
    fields: MessageInitShape<typeof EvaluateCheckpointRequestSchema>,
    kind: new (...given: never[]) => PretrainError,
    message: RegExp,
  ) => {
    const names = (await records.list()).length;
    await assert.rejects(ask({ requestId: "r", ...fields }), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.equal((await records.list()).length, names);
  };
  const correcting = (evaluation: string) => ({ supersedes: { ...slip, evaluation } });
  await refused(correcting("evaluations/none"), NotFound, /evaluations\/none to be superseded/);
  await refused(
    { checkpoint: "experiments/tiny/checkpoints/16", ...correcting(first) },
    InvalidArgument,
    /supersedes\.evaluation.*tiny-8 measured experiments\/tiny\/checkpoints\/8, not experiments\/tiny\/checkpoints\/16/,
  );
  await refused(correcting(failed), FailedPrecondition, /has not ended/);
  const settings = { samples: 1, inputLength: 4, predictLength: 4, batchRows: 1 };
  await refused(
    { settings, ...correcting(first) },
    InvalidArgument,
    /settings: .*samples is 1, not 3, input_length is 4/,
  );
  const correction = await correct();
  await refused(
    { supersedes: { ...slip, author: "another" } },
    FailedPrecondition,
    new RegExp(`superseded by ${correction.name} already; correct that one`),
  );
  await take(await get(failed));
  await refused(correcting(failed), InvalidArgument, /superseded nothing, for it failed; correct evaluations\/tiny-8/);
  await writeTinyCheckpoint(experiment, { attempt: 2, weights: tinyWeights(2) });
  await refused(correcting(correction.name), InvalidArgument, /before it was written anew/);
});

test("words that leave the numbers no room in a record are a failure that says so", async (t) => {
  const texts = "\u0001".repeat(160_000); // six bytes each in JSON
  const { ask, take, get, correct } = await setUp(t, 12.34, 2.26);
  await take(await ask());
  const { state, error } = await correct({ cause: texts });
  assert.equal(state, State.FAILED);
  assert.match(error, /bytes, a record holds 900000/);
  assert.equal((await get(first)).supersededBy, "");
});

test("a request_id belongs to a request with its correction", async (t) => {
  const { ask, take } = await setUp(t, 12.34);
  await take(await ask({ requestId: "one" }));
  const reused = ask({ requestId: "one", supersedes: slip });
  await assert.rejects(reused, (error) => error instanceof PretrainError && error.reason === "REQUEST_ID_REUSED");
});
