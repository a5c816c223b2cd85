/**
 * What evaluations found, beside the checkpoints that they measured, so that the rule which checkpoints are kept needs nothing
 * but the store. Only losses: everything else of an evaluation is in the ledger.
 *
 *     experiments/<id>/checkpoints/<micro-step>/results/<evaluation>.json
 */
import type { BlobStore } from "@pretrain/blobs";
import { type CheckpointId, checkpointName, type SealedCheckpoint } from "@pretrain/checkpoint";

export interface EvaluationResult {
  /** SHA-256 of the manifest of what was measured, in hex. */
  readonly manifestSha256: string;
  /** Absent when the evaluation failed. */
  readonly lossNatsPerToken?: number;
}

/** @param evaluation its id: one segment of a key */
export async function writeResult(
  blobs: BlobStore,
  checkpoint: CheckpointId,
  evaluation: string,
  result: EvaluationResult,
): Promise<void> {
  const key = `${checkpointName(checkpoint)}/results/${evaluation}.json`;
  await blobs.put(key, new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}

/** The lowest loss that was found of exactly these bytes; undefined while no evaluation of them has ended. */
export async function readResult(
  blobs: BlobStore,
  { manifest, manifestSha256 }: SealedCheckpoint,
): Promise<{ readonly lossNatsPerToken: number | undefined } | undefined> {
  const losses: (number | undefined)[] = [];
  for await (const { key, sizeBytes } of blobs.list(`${checkpointName(manifest)}/results/`)) {
    const found = sizeBytes <= resultLimitBytes ? parsed(await blobs.read(key)) : undefined;
    if (found?.manifestSha256 === manifestSha256) losses.push(found.lossNatsPerToken);
  }
  if (losses.length === 0) return undefined;
  const known = losses.filter((loss) => loss !== undefined);
  return { lossNatsPerToken: known.length === 0 ? undefined : Math.min(...known) };
}

const resultLimitBytes = 4 * 1024;

/** Undefined when it is damaged: then its checkpoint counts as not measured, and stays. */
function parsed(bytes: Uint8Array): EvaluationResult | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { manifestSha256, lossNatsPerToken }: Record<string, unknown> = Object(value);
    if (typeof manifestSha256 !== "string") return undefined;
    return typeof lossNatsPerToken === "number" && Number.isFinite(lossNatsPerToken)
      ? { manifestSha256, lossNatsPerToken }
      : { manifestSha256 };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
