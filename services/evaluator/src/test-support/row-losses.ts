/** Losses of rows as the computing process answers them, made of a few sums. */
import type { RowLoss } from "../worker/protocol.ts";

interface RowSums {
  readonly rowId?: number;
  readonly nats: number;
  readonly tokens: number;
  readonly textNats?: number;
  readonly bytes?: number;
  readonly characters?: number;
  readonly targets?: Partial<RowLoss["targets"]>;
}

/** A row whose targets all cost the same, none of them a marker, each of one byte, and none of them foreseen. */
export function rowLoss({ rowId = 0, nats, tokens, targets, ...sums }: RowSums): RowLoss {
  const each = {
    tokens: new Int32Array(tokens).fill(7),
    nats: new Float32Array(tokens).fill(nats / tokens),
    top1: new Uint8Array(tokens),
    confidence: new Float32Array(tokens).fill(0.5),
  };
  const text = { textNats: nats, bytes: tokens, characters: tokens };
  return { rowId, nats, tokens, context: tokens, ...text, ...sums, targets: { ...each, ...targets } };
}

/** Where its losses would be. */
export const kept = { lossesBlob: "experiments/a/evaluations/a-8/losses-0.safetensors", lossesSha256: "10" };
