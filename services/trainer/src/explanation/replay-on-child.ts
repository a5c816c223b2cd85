/** The parent's side of a replay: batches out, steps in, until the last one that is asked for. */
import type { ReadBatch } from "../attempt/batches.ts";
import type { ComputingProcess, Said } from "../attempt/computing-process.ts";
import { errorOf } from "../attempt/sequence.ts";
import type { Patience } from "../attempt/silence.ts";
import { Slots } from "../attempt/slots.ts";
import type { ExaminedRow, ReplayedStep, ReplaySetup } from "../worker/protocol.ts";

export interface Replay {
  /** Prepared, and ready. */
  readonly child: Pick<ComputingProcess, "send" | "next" | "interrupt">;
  readonly asked: Pick<ReplaySetup, "examined" | "last">;
  readonly batches: (signal: AbortSignal) => AsyncIterable<ReadBatch>;
}

export interface Replayed {
  /** Micro-steps computed up to the examined one. */
  readonly microSteps: number;
  readonly step: ReplayedStep;
  /** In the order in which they are shown. */
  readonly rows: readonly ExaminedRow[];
  /** By the place of a row in its batch, its index in the training split. */
  readonly rowIds: readonly number[];
  /** Of the last step, if that ends its optimizer step. */
  readonly update: ReplayedStep["update"];
}

/** The child computes one batch while the next one waits there. */
const batchesAhead = 2;
/** A step that leaves the processors to others may take long. */
const patience: Patience = { restingMs: 2 * 60_000, busyMs: 60 * 60_000 };

/** @throws what `child.next` throws; what reading batches throws */
export async function replayOnChild({ child, asked, batches }: Replay): Promise<Replayed> {
  const feeding = new AbortController();
  const slots = new Slots(batchesAhead);
  let rowIds: readonly number[] = [];
  const feed = async () => {
    for await (const batch of batches(feeding.signal)) {
      await slots.free();
      if (feeding.signal.aborted) return;
      if (batch.microStep === asked.examined) rowIds = batch.rowIds;
      slots.take();
      await child.send({ kind: "batch", ...batch });
      if (batch.microStep === asked.last) return;
    }
  };
  const fed = feed().catch((error: unknown) => {
    if (!feeding.signal.aborted) child.interrupt(errorOf(error));
  });
  try {
    const heard = await listen(child, asked, slots);
    return { ...heard, rowIds };
  } finally {
    feeding.abort();
    slots.close();
    await fed;
  }
}

async function listen(child: Replay["child"], asked: Replay["asked"], slots: Slots): Promise<Omit<Replayed, "rowIds">> {
  let rows: readonly ExaminedRow[] = [];
  let step: ReplayedStep | undefined;
  for (let microSteps = 0; ; ) {
    const message: Said = await child.next(() => (slots.taken === 0 ? undefined : patience)); // without a batch it waits
    if (message.kind === "examined") rows = message.rows;
    else if (message.kind !== "replayed") throw new Error(`the computing process said ${message.kind} while replaying`);
    else {
      slots.give();
      if (step === undefined) microSteps += 1;
      if (message.microStep === asked.examined) step = message;
      if (step !== undefined && message.microStep === asked.last)
        return { microSteps, step, rows, update: message.update };
    }
  }
}
