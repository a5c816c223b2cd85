/** The channel to the computing process, and each way in which an answer can fail to come. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { PretrainError } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { temporaryDirectory } from "@pretrain/testing";
import { greedySampling, unstopped } from "../test-support/loaded-experiment.ts";
import { tinyExperiment, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import type { ModelSource, QuestionKind } from "../worker/protocol.ts";
import { computingOnDemand } from "./computing-on-demand.ts";
import { startComputing } from "./computing-process.ts";

async function setUp(t: TestContext, limitMs = 60_000, share = { niceness: 0, threads: 0 }) {
  const experiment = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment);
  const { tokenizerBlob, tokenizerSha256, rows, blobsUrl } = experiment;
  const checkpoint = { experiment: "tiny", microStep: 8 };
  const source: ModelSource = { checkpoint, manifestSha256, tokenizerBlob, tokenizerSha256 };
  const limits: Record<QuestionKind, number> = {
    load: 60_000,
    scoreRows: limitMs,
    scoreSample: limitMs,
    scoreText: limitMs,
    scoreLogits: limitMs,
    certify: limitMs,
    selfTest: limitMs,
    exportCheckpoint: limitMs,
    beginGeneration: limitMs,
    nextToken: limitMs,
    endGeneration: limitMs,
  };
  const computing = await startComputing({ blobs: blobsUrl, programs: temporaryDirectory(t), share }, limits);
  t.after(() => computing[Symbol.asyncDispose]());
  return { computing, source, rows };
}

const isError = (status: string, reason: string) => (error: unknown) =>
  error instanceof PretrainError && error.status === status && error.reason === reason;

test("a share of the processors: as many threads as it says, each of them nice, also those that compute", async (t) => {
  const { computing, source, rows } = await setUp(t, 60_000, { niceness: 1, threads: 1 });
  await computing.ask("load", source);
  await computing.ask("scoreRows", { rows, rowsAtOnce: 3 });
  const folder = `/proc/${computing.processId}`;
  const variables = readFileSync(`${folder}/environ`, "utf8").split("\0");
  for (const name of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]) assert.ok(variables.includes(`${name}=1`));
  const threads = readdirSync(`${folder}/task`).map(Number);
  assert.ok(threads.length > 5, "V8 has some, TensorFlow others");
  assert.deepEqual([...new Set(threads.map(getPriority))], [1]);
});

test("questions asked at once are answered each with its own answer", async (t) => {
  const { computing, source, rows } = await setUp(t);
  const [size, ...scored] = await Promise.all([
    computing.ask("load", source),
    ...rows.map((row) => computing.ask("scoreRows", { rows: [row], rowsAtOnce: 1 })),
  ]);
  assert.deepEqual(size, { maxSequenceLength: 64, vocabularySize: 300, device: "cpu" });
  assert.deepEqual(
    scored.flat().map(({ rowId }) => rowId),
    rows.map(({ rowId }) => rowId),
  );
});

test("an error there is the same error here, and the process goes on", async (t) => {
  const { computing, source, rows } = await setUp(t);
  await assert.rejects(
    computing.ask("scoreRows", { rows, rowsAtOnce: 3 }),
    isError("FAILED_PRECONDITION", "NOTHING_LOADED"),
  );
  const long = { source, prompt: "long ".repeat(100), maxNewTokens: 1, sampling: greedySampling, ...unstopped };
  await assert.rejects(computing.ask("beginGeneration", long), (error) => {
    return (
      isError("INVALID_ARGUMENT", "BAD_REQUEST")(error) &&
      error instanceof PretrainError &&
      error.violations[0]?.field === "prompt"
    );
  });
  const damaged = computing.ask("load", { ...source, tokenizerSha256: "0".repeat(64) });
  await assert.rejects(damaged, isError("DATA_LOSS", "DIGEST_MISMATCH"));
  await assert.rejects(
    computing.ask("scoreRows", { rows, rowsAtOnce: 3 }),
    isError("FAILED_PRECONDITION", "NOTHING_LOADED"),
  );
  await computing.ask("load", source);
});

test("a process that is killed fails every open question, and each one after", async (t) => {
  const { computing, source, rows } = await setUp(t);
  await computing.ask("load", source);
  process.kill(computing.processId, "SIGSTOP");
  const open = [
    computing.ask("scoreRows", { rows, rowsAtOnce: 3 }),
    computing.ask("scoreRows", { rows, rowsAtOnce: 3 }),
  ];
  process.kill(computing.processId, "SIGKILL");
  for (const question of await Promise.allSettled(open)) {
    assert.ok(question.status === "rejected" && isError("UNAVAILABLE", "CHILD_LOST")(question.reason));
    assert.match(String(question.reason), /was ended by SIGKILL/);
  }
  await assert.rejects(computing.ask("scoreRows", { rows, rowsAtOnce: 3 }), isError("UNAVAILABLE", "CHILD_GONE"));
});

test("a process that does not answer in time is ended, and it says so", async (t) => {
  const { computing, source, rows } = await setUp(t, 300);
  await computing.ask("load", source);
  process.kill(computing.processId, "SIGSTOP");
  await assert.rejects(computing.ask("scoreRows", { rows, rowsAtOnce: 3 }), isError("UNAVAILABLE", "CHILD_HANGS"));
  assert.equal((await computing.exited).signal, "SIGKILL");
});

test("on demand: one process for all who need it at once, none some time after, a new one for the next", async (t) => {
  const { computing } = await setUp(t);
  let starts = 0;
  const start = async () => {
    starts += 1;
    return starts === 1 ? computing : await startComputing({ blobs: "file:///nowhere", programs: "/nowhere" });
  };
  await using demand = computingOnDemand({ start, idleMs: 50, log: createLog("test", "fatal") });
  const [one, two] = await Promise.all([demand.borrow(), demand.borrow()]);
  one[Symbol.dispose]();
  const early = await Promise.race([
    computing.exited.then(() => "ended"),
    new Promise((r) => setTimeout(r, 200, "runs")),
  ]);
  assert.equal(early, "runs", "somebody still needs it");
  two[Symbol.dispose]();
  await computing.exited;
  assert.equal(starts, 1);
  (await demand.borrow())[Symbol.dispose]();
  assert.equal(starts, 2);
});
