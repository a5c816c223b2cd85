/** The worker's loop: a piece of work, what became of it, the next one. */

import { messageOf } from "@pretrain/errors";
import { type Broker, type Piece, work } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import type { EvaluateWork } from "@pretrain/proto";
import { idOfEvaluationName } from "../evaluation/identity.ts";
import type { Outcome } from "./carry-out.ts";

export interface TakingOptions {
  readonly broker: Pick<Broker, "takeWork">;
  readonly carryOut: (id: string, deliveries: number, signal: AbortSignal) => Promise<Outcome>;
  /** How long to wait for work before the loop ends. */
  readonly idleMs: number;
  /** Ends the loop; the piece in hand goes back to the queue. */
  readonly stopping: AbortSignal;
  readonly log: Log;
}

export async function takeEvaluations({ broker, carryOut, idleMs, stopping, log }: TakingOptions): Promise<void> {
  for await (const piece of broker.takeWork([work.evaluate], { signal: stopping, idleMs })) {
    const id = idOfEvaluationName(piece.message.evaluation);
    try {
      await settle(piece, await carryOut(id, piece.deliveries, AbortSignal.any([stopping, piece.lost])));
    } catch (error) {
      // The broker did not answer. What was computed is lost or written; who takes the piece next finds out.
      log.warn({ evaluation: id, reason: messageOf(error) }, "handed back");
      piece.again(retryMs);
    }
  }
}

const retryMs = 5_000;

async function settle(piece: Piece<EvaluateWork>, outcome: Outcome): Promise<void> {
  if (outcome.kind === "done") await piece.done();
  else piece.again(outcome.delayMs);
}
