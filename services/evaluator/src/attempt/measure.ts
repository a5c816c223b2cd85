/** Measures one checkpoint: the whole validation split in one pass, and on the way the first rows that can be samples. */
import { acquireCheckpoint, parseCheckpointName, releaseCheckpoint } from "@pretrain/checkpoint";
import { FailedPrecondition, Unavailable } from "@pretrain/errors";
import { type RowLosses, writeLosses } from "@pretrain/losses";
import type { ScoringWindow } from "@pretrain/measures";
import type { Certificate, DataShardService, Evaluation, EvaluationSettings } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { Ask } from "../computing/computing-process.ts";
import { findModel, type Sources } from "../computing/model-source.ts";
import { certificateMessage, failureOf, type Loaded, NotCertified } from "../evaluation/certificate.ts";
import { idOfEvaluationName } from "../evaluation/identity.ts";
import type { Certified } from "../evaluation/lifecycle.ts";
import { markerRule, measurement, type Scores } from "../evaluation/measurement.ts";
import { type Row, SampleSelection } from "../evaluation/sample-selection.ts";
import { rowsAtOnce, sampleLength, scoringWindow } from "../evaluation/settings.ts";
import type { RowLoss, ScoredSample } from "../worker/protocol.ts";
import { datasetAnalysis } from "./dataset-analysis.ts";
import { gathered } from "./gathered-rows.ts";
import { validationRows } from "./validation-rows.ts";

export interface Instruments extends Sources {
  readonly dataShard: Pick<PretrainClient<typeof DataShardService>, "getDataset" | "streamBatches" | "analyzeDataset">;
  readonly ask: Ask;
  /** Hears what the weights lie on. @throws where that is not what this worker was promised */
  readonly expectDevice: (device: "cpu" | "gpu") => void;
}

/**
 * The checkpoint is held meanwhile: its experiment's retention keeps it.
 *
 * @throws whatever keeps it from being measured, in the words of the part that knows; NotCertified when the code that scored it is wrong
 */
export async function measure(
  instruments: Instruments,
  evaluation: Evaluation,
  signal: AbortSignal,
): Promise<Certified> {
  const { blobs } = instruments;
  const checkpoint = parseCheckpointName(evaluation.checkpoint);
  const holder = `evaluation-${idOfEvaluationName(evaluation.name)}`;
  await acquireCheckpoint(blobs, checkpoint, holder);
  try {
    return await measureHeld(instruments, evaluation, signal);
  } finally {
    await releaseCheckpoint(blobs, checkpoint, holder);
  }
}

async function measureHeld(
  instruments: Instruments,
  { name, checkpoint: checkpointName, checkpointSha256, settings }: Evaluation,
  signal: AbortSignal,
): Promise<Certified> {
  if (settings === undefined) {
    throw new FailedPrecondition(
      "SETTINGS_UNKNOWN",
      "the experiment's recipe, which says how to measure, cannot be read",
    );
  }
  const { blobs, dataShard, ask, expectDevice } = instruments;
  const checkpoint = parseCheckpointName(checkpointName);
  const { source, dataset } = await findModel(instruments, checkpoint);
  const size = await ask("load", { ...source, manifestSha256: checkpointSha256 });
  expectDevice(size.device);
  const analysis = await datasetAnalysis(dataShard, dataset, size.vocabularySize, signal);
  const atOnce = rowsAtOnce(settings, size);
  const batches = gathered(validationRows(dataShard, dataset.name, atOnce, signal));
  const window = scoringWindow(settings, size.maxSequenceLength);
  const scores = await scoreSplit(ask, batches, { settings, atOnce, window });
  if (scores.rows.length !== Number(dataset.validationRows)) {
    const rows = `${scores.rows.length} of ${dataset.validationRows} validation rows of ${dataset.name} arrived`;
    throw new Unavailable("ROWS_MISSING", rows, { dataset: dataset.name });
  }
  const { tokenizerSha256, manifestSha256: datasetSha256 } = dataset;
  const certificate = await provenCertificate(instruments, { checkpointSha256, tokenizerSha256 });
  const numbers = measurement({ settings, ...scores, analysis });
  const origin = { datasetSha256, tokenizerSha256, checkpointSha256, ...window, markerRule };
  const place = { experiment: checkpoint.experiment, evaluation: idOfEvaluationName(name) };
  const losses = await writeLosses(blobs, place, { origin, rows: scores.rows.map(rowLosses) });
  const provenance = { dataset: dataset.name, datasetSha256, tokenizerSha256 };
  return { certificate, ...numbers, ...provenance, lossesBlob: losses.blob, lossesSha256: losses.sha256 };
}

function rowLosses({ rowId, targets: { tokens, nats, top1 } }: RowLoss): RowLosses {
  return { rowId, tokens, nats, top1 };
}

/** In the shapes in which the rows were scored, and after them: only now they are known. @throws NotCertified when a canary failed */
async function provenCertificate({ ask }: Instruments, loaded: Loaded): Promise<Certificate> {
  const proven = await ask("certify", null);
  const certificate = certificateMessage(proven, loaded);
  const failure = failureOf(proven);
  if (failure !== undefined) throw new NotCertified(failure, certificate);
  return certificate;
}

interface Scoring {
  readonly settings: EvaluationSettings;
  /** Rows computed together at most. */
  readonly atOnce: number;
  readonly window: ScoringWindow;
}

async function scoreSplit(
  ask: Ask,
  batches: AsyncIterable<readonly Row[]>,
  { settings, atOnce, window }: Scoring,
): Promise<Pick<Scores, "rows" | "samples" | "skippedRows">> {
  const { inputLength, predictLength } = settings;
  const selection = new SampleSelection(settings.samples, sampleLength(settings));
  const scored: RowLoss[] = [];
  const samples: ScoredSample[] = [];
  for await (const rows of batches) {
    scored.push(...(await ask("scoreRows", { rows, rowsAtOnce: atOnce, window })));
    for (const row of rows) {
      if (selection.takes(row)) samples.push(await ask("scoreSample", { row, inputLength, predictLength, window }));
    }
  }
  return { rows: scored, samples, skippedRows: selection.skippedRows };
}
