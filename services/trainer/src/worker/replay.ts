/** The loop of a process that computes past steps again: a batch in, a step out, and once what its rows cost. Nothing is written. */
import { parameterCount } from "@pretrain/model";
import { learningRate } from "@pretrain/optim";
import type { Tokenizer } from "@pretrain/tokenizer";
import { examinedRows } from "./examined-rows.ts";
import { NotFinite } from "./faults.ts";
import type { Inbox } from "./inbox.ts";
import type { Batch, ExaminedRow, FromChild, ReplayedStep, ReplaySetup, TrainingSetup } from "./protocol.ts";
import type { TrainingRun } from "./training-run.ts";

export interface Replaying {
  readonly run: TrainingRun;
  readonly setup: Pick<TrainingSetup, "shape" | "schedule">;
  readonly asked: ReplaySetup;
  readonly tokenizer: Tokenizer;
  readonly inbox: Pick<Inbox, "next">;
  readonly send: (message: FromChild) => Promise<void>;
}

/** @throws NotFinite where a loss or a gradient is no number before the examined step */
export async function replay({ run, setup, asked, tokenizer, inbox, send }: Replaying): Promise<void> {
  const { microStep, cursor } = run.counters;
  await send({ kind: "ready", parameters: parameterCount(setup.shape), microStep, cursor });
  while (run.counters.microStep < asked.last) {
    const batch = await inbox.next(false);
    if (batch === undefined) return;
    if (batch.microStep !== asked.examined) {
      await send({ kind: "replayed", ...run.step(batch) });
      continue;
    }
    const rows = examinedRows(run.program, batch, tokenizer, asked.detailedRows); // before the step, which may change the weights
    await send({ kind: "examined", rows });
    await send({ kind: "replayed", ...examinedStep(run, setup, batch, rows) });
  }
}

/** The step; of one that is no number, and ended its experiment, what there is of it. */
function examinedStep(
  run: TrainingRun,
  { schedule }: Replaying["setup"],
  batch: Batch,
  rows: readonly ExaminedRow[],
): ReplayedStep {
  const { optimizerStep, tokensSeen } = run.counters;
  try {
    return run.step(batch);
  } catch (error) {
    if (!(error instanceof NotFinite)) throw error;
    const sum = (number: (row: ExaminedRow) => number) => rows.reduce((all, row) => all + number(row), 0);
    const { microStep, epoch, lengths } = batch;
    const tokens = lengths.reduce((all, length) => all + length, 0);
    return {
      microStep,
      epoch,
      optimizerStep,
      lossNats: sum(({ lossNats }) => lossNats),
      lossTokens: sum(({ lossTokens }) => lossTokens),
      rows: lengths.length,
      learningRate: learningRate(schedule, optimizerStep),
      update: undefined,
      tokensSeen: tokensSeen + tokens,
      tokens,
      positions: 0,
    };
  }
}
