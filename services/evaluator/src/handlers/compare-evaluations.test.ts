/** CompareEvaluations over records and kept losses: what is read, what is shown, and what damage does. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { DataLoss, FailedPrecondition, ResourceExhausted } from "@pretrain/errors";
import { type KeptLosses, type LossesFile, writeLosses } from "@pretrain/losses";
import {
  CompareEvaluationsRequestSchema,
  type Dataset,
  DatasetSchema,
  EvaluationRecordSchema,
  type EvaluationSchema,
  Evaluation_State as State,
  Comparison_Verdict as Verdict,
} from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import { settingsOfRecipe } from "../evaluation/settings.ts";
import { RecordsInMemory } from "../test-support/records-in-memory.ts";
import { tinyExperiment } from "../test-support/tiny-experiment.ts";
import { validationTexts } from "../test-support/validation-texts.ts";
import { compareEvaluations } from "./compare-evaluations.ts";

/** Two checkpoints of the tiny experiment, measured: the second costs a tenth less for each token. */
async function setUp(t: TestContext) {
  const experiment = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href);
  const { blobs, tokenizerBlob, tokenizerSha256, recipe } = experiment;
  const records = new RecordsInMemory();
  const dataset = create(DatasetSchema, { name: "datasets/tiny-data", tokenizerBlob, tokenizerSha256 });
  const files: LossesFile[] = [];
  const losses = (scale: number): KeptLosses => ({
    origin: {
      datasetSha256: "da7a",
      tokenizerSha256,
      checkpointSha256: `${scale}`,
      context: 64,
      stride: 64,
      markerRule: "",
    },
    rows: experiment.rows.map(({ rowId, tokens }) => {
      const targets = Int32Array.from(tokens.subarray(1));
      return {
        rowId,
        tokens: targets,
        nats: Float32Array.from(targets, (token) => scale * (1 + (token % 7))),
        top1: new Uint8Array(targets.length),
      };
    }),
  });
  const measured = async (microStep: number, scale: number, fields: MessageInitShape<typeof EvaluationSchema> = {}) => {
    const id = `tiny-${microStep}`;
    const file = await writeLosses(blobs, { experiment: "tiny", evaluation: id }, losses(scale));
    files.push(file);
    const evaluation = {
      name: `evaluations/${id}`,
      checkpoint: `experiments/tiny/checkpoints/${microStep}`,
      microStep: BigInt(microStep),
      state: State.SUCCEEDED,
      settings: settingsOfRecipe(recipe),
      dataset: dataset.name,
      tokenizerSha256,
      lossesBlob: file.blob,
      lossesSha256: file.sha256,
      ...fields,
    };
    await records.create(id, create(EvaluationRecordSchema, { evaluation }));
  };
  await measured(8, 1);
  await measured(16, 0.9);
  let getDataset: () => Promise<Dataset> = async () => dataset;
  const handle = compareEvaluations({ records, blobs, dataShard: { getDataset: () => getDataset() } });
  const compare = (fields: MessageInitShape<typeof CompareEvaluationsRequestSchema>) =>
    handle(create(CompareEvaluationsRequestSchema, fields));
  const dataShardAnswers = (answer: () => Promise<Dataset>) => void (getDataset = answer);
  return { blobs, files, measured, compare, dataShardAnswers, dataset };
}

const both = { baseline: "experiments/tiny/checkpoints/8", candidate: "experiments/tiny" };

test("a checkpoint against the experiment's last one: better, in each row, with the beginnings of the rows' texts", async (t) => {
  const { compare } = await setUp(t);
  const found = await compare(both);
  assert.deepEqual([found.baseline, found.candidate], ["evaluations/tiny-8", "evaluations/tiny-16"]);
  assert.equal(found.verdict, Verdict.CANDIDATE_BETTER);
  assert.deepEqual([found.candidateWins, found.baselineWins, found.ties], [8n, 0n, 0n]);
  assert.equal(found.rows.length, 8, "all of them are fewer than the ten that are listed if nothing is said");
  for (const { rowId, text } of found.rows) {
    const whole = validationTexts[Number(rowId)] ?? assert.fail();
    assert.ok(whole.startsWith(text) && (text !== "" || whole === ""), `${rowId}: ${text}`);
  }
  assert.equal((await compare({ ...both, listedRows: 2 })).rows.length, 2);
});

test("an evaluation whose losses were not kept is refused with what to do; damaged ones are named", async (t) => {
  const { compare, measured, blobs, files } = await setUp(t);
  await measured(24, 1, { lossesBlob: "", lossesSha256: "" });
  await assert.rejects(compare({ ...both, baseline: "evaluations/tiny-24" }), (error) => {
    return (
      error instanceof FailedPrecondition && error.reason === "NO_KEPT_LOSSES" && /measure .* again/.test(error.message)
    );
  });
  const { blob } = files[0] ?? assert.fail();
  const bytes = Buffer.from(await blobs.read(blob));
  await blobs.put(blob, bytes.fill(7, bytes.length - 3));
  await assert.rejects(
    compare({ ...both, baseline: "evaluations/tiny-8", candidate: "evaluations/tiny-16" }),
    (error) => error instanceof DataLoss && error.message.includes(blob),
  );
});

test("the third at once is refused, and accepted when one has ended", async (t) => {
  const { compare, dataShardAnswers, dataset } = await setUp(t);
  const gate = Promise.withResolvers<Dataset>();
  dataShardAnswers(() => gate.promise);
  const pair = { baseline: "evaluations/tiny-8", candidate: "evaluations/tiny-16" };
  const open = [compare(pair), compare(pair)];
  await assert.rejects(compare(pair), ResourceExhausted);
  gate.resolve(dataset);
  await Promise.all(open);
  await compare(pair);
});

test("one without rows to show needs no tokenizer: an evaluation and itself, while data-shard is away", async (t) => {
  const { compare, dataShardAnswers } = await setUp(t);
  dataShardAnswers(() => Promise.reject(new Error("away")));
  const found = await compare({ baseline: "evaluations/tiny-8", candidate: "evaluations/tiny-8" });
  assert.deepEqual([found.verdict, found.ties, found.rows], [Verdict.NO_DIFFERENCE_SHOWN, 8n, []]);
});
