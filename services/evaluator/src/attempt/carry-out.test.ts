/** Stories of one piece of work: what is in the record and on the stream after each way that it can go. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { openBlobs } from "@pretrain/blobs";
import { FailedPrecondition, Unavailable } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { EvaluationSettingsSchema, Evaluation_State as State } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { NotCertified } from "../evaluation/certificate.ts";
import { ended, evaluationOf, pending } from "../evaluation/lifecycle.ts";
import { measurement } from "../evaluation/measurement.ts";
import { discharge } from "../stores/duties.ts";
import { evaluationFor } from "../stores/evaluation-records.ts";
import { keepResult, keptResult } from "../stores/kept-results.ts";
import { failedCertificate, validCertificate } from "../test-support/certificates.ts";
import { RecordingBroker } from "../test-support/recording-broker.ts";
import { RecordsInMemory } from "../test-support/records-in-memory.ts";
import { kept, rowLoss } from "../test-support/row-losses.ts";
import { carryOut, type Means } from "./carry-out.ts";

const settings = create(EvaluationSettingsSchema, { samples: 1, inputLength: 2, predictLength: 2, batchRows: 1 });
const wanted = { id: "a-8", checkpoint: { experiment: "a", microStep: 8 }, checkpointSha256: "c0", settings };
const numbers = {
  ...measurement({
    settings,
    rows: [rowLoss({ nats: 2, tokens: 4, bytes: 3 })],
    samples: [],
    skippedRows: 1,
  }),
  dataset: "datasets/d",
  datasetSha256: "d0",
  tokenizerSha256: "70",
  certificate: validCertificate,
  ...kept,
};
const never = new AbortController().signal;
const announcement = "publish evaluation/a/evaluations/a-8";

async function story(t: TestContext, measure: Means["measure"]) {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  const records = new RecordsInMemory();
  const broker = new RecordingBroker();
  await records.create("a-8", pending(wanted, new Date(0)));
  const log = createLog("test", "fatal");
  const means: Means = { records, broker, blobs, measure, now: () => new Date(1000), log };
  const record = async () => {
    const stored = await records.get("a-8");
    assert.ok(stored !== undefined);
    return { ...evaluationOf(stored.value), announced: stored.value.announced };
  };
  return { means, records, broker, record, take: (deliveries = 1) => carryOut(means, "a-8", deliveries, never) };
}

test("a measured checkpoint: numbers in the record, then its event, then the mark that it is announced", async (t) => {
  const { take, record, broker } = await story(t, async () => numbers);
  assert.deepEqual(await take(), { kind: "done" });
  const { state, validationLoss, announced } = await record();
  assert.deepEqual([state, validationLoss?.natsPerToken, announced], [State.SUCCEEDED, 0.5, true]);
  assert.deepEqual(broker.heard, [announcement]);
});

test("while it is measured, the record says RUNNING", async (t) => {
  const seen: (State | undefined)[] = [];
  const { means, records, take } = await story(t, async () => {
    seen.push(evaluationOf((await records.get("a-8"))?.value ?? assert.fail()).state);
    return numbers;
  });
  assert.ok(means);
  await take();
  assert.deepEqual(seen, [State.RUNNING]);
});

test("a checkpoint that cannot be measured: FAILED with the reason, announced as well, and no number", async (t) => {
  const { take, record, broker } = await story(t, async () => {
    throw new FailedPrecondition("NOT_FINITE", "row 3: its loss is NaN");
  });
  assert.deepEqual(await take(), { kind: "done" });
  const { state, error, validationLoss, announced } = await record();
  assert.deepEqual(
    [state, error, validationLoss, announced],
    [State.FAILED, "row 3: its loss is NaN", undefined, true],
  );
  assert.deepEqual(broker.heard, [announcement]);
});

test("scored by code that failed a canary: FAILED_CERTIFICATION with the evidence, announced and kept, and no number", async (t) => {
  let measured = 0;
  const { take, record, broker, means } = await story(t, async () => {
    measured += 1;
    throw new NotCertified("next_token_oracle is off by 37 nats", failedCertificate);
  });
  assert.deepEqual(await take(), { kind: "done" });
  const { state, error, certificate, validationLoss, inferenceLoss, perplexity, samples } = await record();
  assert.deepEqual([state, error], [State.FAILED_CERTIFICATION, "next_token_oracle is off by 37 nats"]);
  assert.deepEqual(certificate, failedCertificate);
  assert.deepEqual([validationLoss, inferenceLoss, perplexity, samples], [undefined, undefined, undefined, []]);
  assert.deepEqual(broker.heard, [announcement]);
  const kept = await keptResult(means.blobs, "a", "a-8", "c0");
  assert.deepEqual([kept?.state, kept?.certificate], [State.FAILED_CERTIFICATION, failedCertificate]);
  assert.deepEqual([await take(2), measured], [{ kind: "done" }, 1], "it is not measured again");
});

test("data-shard away: the piece is handed out again later, the record stays RUNNING, nothing is announced", async (t) => {
  const { take, record, broker } = await story(t, async () => {
    throw new Unavailable("SERVICE_UNREACHABLE", "data-shard cannot be reached");
  });
  assert.deepEqual(await take(1), { kind: "again", delayMs: 1000 });
  assert.deepEqual(await take(4), { kind: "again", delayMs: 8000 });
  assert.deepEqual(await take(499), { kind: "again", delayMs: 30_000 });
  assert.deepEqual([(await record()).state, broker.heard], [State.RUNNING, []]);
  assert.deepEqual(await take(500), { kind: "done" });
  assert.match((await record()).error, /cannot be reached, 500 times/);
});

test("a computing process that is lost twice and then measures: the numbers count", async (t) => {
  let tries = 0;
  const { take, record } = await story(t, async () => {
    tries += 1;
    if (tries < 3) throw new Unavailable("CHILD_LOST", "the computing process was ended by SIGKILL");
    return numbers;
  });
  assert.deepEqual(await take(), { kind: "done" });
  assert.equal((await record()).state, State.SUCCEEDED);
});

test("a computing process that is lost each time: FAILED after the third", async (t) => {
  let tries = 0;
  const { take, record } = await story(t, async () => {
    tries += 1;
    throw new Unavailable("CHILD_LOST", "the computing process was ended by SIGKILL");
  });
  await take();
  assert.equal(tries, 3);
  assert.match((await record()).error, /SIGKILL, 3 times in a row/);
});

test("a result that no record can hold: FAILED, and it says what to ask for", async (t) => {
  const sample = { rowId: 0, inputText: "x".repeat(500_000), trueText: "", predictedText: "y".repeat(500_000) };
  const counts = { nats: 1, tokens: 2, generatedTokens: 2, generated: [5, 2] };
  const samples = [{ ...sample, ...counts, stopReason: "eos" as const }];
  const rows = [rowLoss({ nats: 2, tokens: 4, bytes: 3 })];
  const { take, record } = await story(t, async () => ({
    ...numbers,
    ...measurement({ settings, rows, samples, skippedRows: 0 }),
  }));
  await take();
  assert.match((await record()).error, /take 100\d{4} bytes, a record holds 900000; ask for fewer/);
});

test("a crash between result and event: whoever takes the piece next announces it and computes nothing", async (t) => {
  let measurements = 0;
  const { take, record, broker } = await story(t, async () => {
    measurements += 1;
    return numbers;
  });
  broker.isAway = true;
  await assert.rejects(take(), Unavailable);
  assert.deepEqual([(await record()).state, (await record()).announced], [State.SUCCEEDED, false]);
  broker.isAway = false;
  assert.deepEqual(await take(2), { kind: "done" });
  assert.deepEqual([broker.heard, measurements, (await record()).announced], [[announcement], 1, true]);
});

test("a crash between result and event, and the piece gone as well: the sweep announces it", async (t) => {
  const { take, record, records, broker } = await story(t, async () => numbers);
  broker.isAway = true;
  await assert.rejects(take(), Unavailable);
  broker.isAway = false;
  for (const stored of await records.list()) await discharge({ records, broker }, stored);
  assert.deepEqual([broker.heard, (await record()).announced], [[announcement], true]);
});

test("a piece delivered again after everything is done changes nothing", async (t) => {
  const { take, records, broker } = await story(t, async () => numbers);
  await take();
  const before = await records.get("a-8");
  assert.deepEqual(await take(2), { kind: "done" });
  assert.deepEqual([await records.get("a-8"), broker.heard], [before, [announcement]]);
});

test("two workers with the same piece: the numbers of the faster one stand and are announced", async (t) => {
  const slow = Promise.withResolvers<typeof numbers>();
  const { means, take, record } = await story(t, () => slow.promise);
  const first = take();
  await carryOut({ ...means, measure: async () => numbers }, "a-8", 2, never);
  slow.resolve({ ...numbers, perplexity: 99 });
  assert.deepEqual(await first, { kind: "done" });
  assert.equal((await record()).perplexity, Math.exp(0.5));
});

test("a worker that is asked to stop writes no result, even one that came just then", async (t) => {
  const stopping = new AbortController();
  const { means, record, broker } = await story(t, async () => {
    stopping.abort();
    return numbers;
  });
  assert.deepEqual(await carryOut(means, "a-8", 1, stopping.signal), { kind: "again", delayMs: 0 });
  assert.deepEqual([(await record()).state, broker.heard], [State.RUNNING, []]);
});

test("work for an evaluation that nobody has a record of is struck off", async (t) => {
  const { means } = await story(t, async () => numbers);
  assert.deepEqual(await carryOut(means, "b-8", 1, never), { kind: "done" });
});

test("an evaluation whose record the broker has forgotten ends as it did, to the byte, and is not measured again", async (t) => {
  let measured = 0;
  const first = await story(t, async () => {
    measured += 1;
    return numbers;
  });
  await first.take();
  const announced = ended((await first.records.get("a-8"))?.value ?? assert.fail(), "a");
  const [records, broker] = [new RecordsInMemory(), new RecordingBroker()];
  const subject = { ...wanted, recipeSettings: settings };
  const again = await evaluationFor({ records, blobs: first.means.blobs }, subject, new Date(9e9));
  assert.deepEqual(ended(again.value, "a"), announced);
  await discharge({ records, broker }, again);
  assert.deepEqual([broker.heard, measured], [[announcement], 1]);
});

test("what was kept of another checkpoint, or changed since, is measured again and takes its place", async (t) => {
  const { means, take, records } = await story(t, async () => numbers);
  await take();
  const { blobs } = means;
  const measured = evaluationOf((await records.get("a-8"))?.value ?? assert.fail());
  const [key] = (await Array.fromAsync(blobs.list("experiments/a/evaluations/"))).map((blob) => blob.key);
  const whole = await blobs.read(key ?? "");
  const other = { ...wanted, recipeSettings: settings, checkpointSha256: "c1" };
  const stateOf = async (subject: typeof other) =>
    evaluationOf((await evaluationFor({ records: new RecordsInMemory(), blobs }, subject, new Date(0))).value).state;
  assert.equal(await stateOf({ ...other, checkpointSha256: "c0" }), State.SUCCEEDED);
  assert.equal(await stateOf(other), State.PENDING);
  for (let bit = 0; bit < 8 * whole.length; bit += 7) {
    const changed = whole.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await blobs.put(key ?? "", changed);
    const found = await keptResult(blobs, "a", "a-8", "c0");
    if (found !== undefined) assert.deepEqual(found, measured); // a blank that became another one
  }
  await blobs.put(key ?? "", Buffer.from("{}"));
  const kept = await keepResult(blobs, measured);
  assert.deepEqual(await keptResult(blobs, "a", "a-8", "c0"), kept);
});
