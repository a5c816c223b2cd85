/** The loop of a process that computes past steps again: a batch in, a step out, and once what its rows cost. Nothing is written. */
import { parameterCount } from "@pretrain/model";
import type { Tokenizer } from "@pretrain/tokenizer";
import { examinedRows } from "./examined-rows.ts";
import type { Inbox } from "./inbox.ts";
import type { FromChild, ReplaySetup, TrainingSetup } from "./protocol.ts";
import type { TrainingRun } from "./training-run.ts";

export interface Replaying {
  readonly run: TrainingRun;
  readonly setup: Pick<TrainingSetup, "shape">;
  readonly asked: ReplaySetup;
  readonly tokenizer: Tokenizer;
  readonly inbox: Pick<Inbox, "next">;
  readonly send: (message: FromChild) => Promise<void>;
}

/** @throws NotFinite where a loss or a gradient is no number */
export async function replay({ run, setup, asked, tokenizer, inbox, send }: Replaying): Promise<void> {
  const { microStep, cursor } = run.counters;
  await send({ kind: "ready", parameters: parameterCount(setup.shape), microStep, cursor });
  while (run.counters.microStep < asked.last) {
    const batch = await inbox.next(false);
    if (batch === undefined) return;
    if (batch.microStep === asked.examined) {
      // Before the step: it may change the weights that it is computed with.
      await send({ kind: "examined", rows: examinedRows(run.program, batch, tokenizer, asked.detailedRows) });
    }
    await send({ kind: "replayed", ...run.step(batch) });
  }
}
