/** Measures one checkpoint: the whole validation split in one pass, and on the way the first rows that can be samples. */
import { acquireCheckpoint, parseCheckpointName, releaseCheckpoint } from "@pretrain/checkpoint";
import { FailedPrecondition, Unavailable } from "@pretrain/errors";
import type { Certificate, DataShardService, Evaluation, EvaluationSettings } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { Ask } from "../computing/computing-process.ts";
import { findModel, type Sources } from "../computing/model-source.ts";
import { certificateMessage, failureOf, type Loaded, NotCertified } from "../evaluation/certificate.ts";
import { idOfEvaluationName } from "../evaluation/identity.ts";
import type { Certified } from "../evaluation/lifecycle.ts";
import { measurement, type Scores } from "../evaluation/measurement.ts";
import { type Row, SampleSelection } from "../evaluation/sample-selection.ts";
import { rowsAtOnce, sampleLength } from "../evaluation/settings.ts";
import type { RowLoss, ScoredSample } from "../worker/protocol.ts";
import { validationRows } from "./validation-rows.ts";

export interface Instruments extends Sources {
  readonly dataShard: Pick<PretrainClient<typeof DataShardService>, "getDataset" | "streamBatches">;
  readonly ask: Ask;
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
  { checkpoint, checkpointSha256, settings }: Evaluation,
  signal: AbortSignal,
): Promise<Certified> {
  if (settings === undefined) {
    throw new FailedPrecondition(
      "SETTINGS_UNKNOWN",
      "the experiment's recipe, which says how to measure, cannot be read",
    );
  }
  const { source, dataset } = await findModel(instruments, parseCheckpointName(checkpoint));
  const size = await instruments.ask("load", { ...source, manifestSha256: checkpointSha256 });
  const atOnce = rowsAtOnce(settings, size);
  const batches = gathered(validationRows(instruments.dataShard, dataset.name, atOnce, signal), rowsToSort);
  const scores = await scoreSplit(instruments, batches, settings, atOnce);
  if (scores.rows.length !== Number(dataset.validationRows)) {
    const rows = `${scores.rows.length} of ${dataset.validationRows} validation rows of ${dataset.name} arrived`;
    throw new Unavailable("ROWS_MISSING", rows, { dataset: dataset.name });
  }
  const certificate = await provenCertificate(instruments, {
    checkpointSha256,
    tokenizerSha256: source.tokenizerSha256,
  });
  return {
    certificate,
    ...measurement({ settings, ...scores }),
    dataset: dataset.name,
    datasetSha256: dataset.manifestSha256,
    tokenizerSha256: dataset.tokenizerSha256,
  };
}

/** In the shapes in which the rows were scored, and after them: only now they are known. @throws NotCertified when a canary failed */
async function provenCertificate({ ask }: Instruments, loaded: Loaded): Promise<Certificate> {
  const proven = await ask("certify", null);
  const certificate = certificateMessage(proven, loaded);
  const failure = failureOf(proven);
  if (failure !== undefined) throw new NotCertified(failure, certificate);
  return certificate;
}

/** Sent together, so that rows of like length can be computed side by side; few enough to be answered in good time. */
const rowsToSort = 128;

async function* gathered(batches: AsyncIterable<readonly Row[]>, count: number): AsyncGenerator<readonly Row[]> {
  let rows: Row[] = [];
  for await (const batch of batches) {
    rows.push(...batch);
    if (rows.length < count) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

async function scoreSplit(
  { ask }: Instruments,
  batches: AsyncIterable<readonly Row[]>,
  settings: EvaluationSettings,
  atOnce: number,
): Promise<Omit<Scores, "settings">> {
  const { inputLength, predictLength } = settings;
  const selection = new SampleSelection(settings.samples, sampleLength(settings));
  const scored: RowLoss[] = [];
  const samples: ScoredSample[] = [];
  for await (const rows of batches) {
    scored.push(...(await ask("scoreRows", { rows, rowsAtOnce: atOnce })));
    for (const row of rows) {
      if (selection.takes(row)) samples.push(await ask("scoreSample", { row, inputLength, predictLength }));
    }
  }
  return { rows: scored, samples, skippedRows: selection.skippedRows };
}
