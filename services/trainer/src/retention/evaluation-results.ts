/**
 * What evaluations found, beside the checkpoints that they measured, so that the rules which checkpoints are kept, and when training
 * ends, need nothing but the store. Only losses: everything else of an evaluation is in the ledger.
 *
 *     experiments/<id>/checkpoints/<micro-step>/results/<evaluation>.json
 */
import type { BlobStore } from "@pretrain/blobs";
import { type CheckpointId, checkpointName, checkpointsPrefix, type SealedCheckpoint } from "@pretrain/checkpoint";

export interface EvaluationResult {
  /** SHA-256 of the manifest of what was measured, in hex. */
  readonly manifestSha256: string;
  /** Absent when the evaluation failed. */
  readonly lossNatsPerToken?: number;
  /** Id of an evaluation of the same bytes that this one corrects: what that one found does not count. */
  readonly supersedes?: string;
}

/** What is known of a checkpoint whose evaluation has ended; its loss is undefined when none ended well. */
export interface CheckpointResult {
  readonly lossNatsPerToken: number | undefined;
}

/** What is known of these bytes; undefined while no evaluation of them has ended. */
export type ResultOf = (
  checkpoint: Pick<SealedCheckpoint, "manifest" | "manifestSha256">,
) => CheckpointResult | undefined;

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

/** All results of an experiment, by one listing. The lowest loss counts of several evaluations of the same bytes. */
export async function readResults(blobs: BlobStore, experiment: string): Promise<ResultOf> {
  const keys: ResultKey[] = [];
  for await (const { key, sizeBytes } of blobs.list(checkpointsPrefix(experiment))) {
    const parts = sizeBytes <= resultLimitBytes ? resultKey(key) : undefined;
    if (parts !== undefined) keys.push(parts);
  }
  const known = new Map<string, Known[]>();
  for (let first = 0; first < keys.length; first += readsAtOnce) {
    const read = keys.slice(first, first + readsAtOnce).map(async ({ key, checkpoint, evaluation }) => {
      const result = parsed(await blobs.read(key));
      if (result !== undefined) known.set(checkpoint, [...(known.get(checkpoint) ?? []), { evaluation, result }]);
    });
    await Promise.all(read);
  }
  return ({ manifest, manifestSha256 }) => {
    const found = known.get(checkpointName(manifest)) ?? [];
    return counted(found.filter(({ result }) => result.manifestSha256 === manifestSha256));
  };
}

/** A large store answers many questions at once as fast as one. */
const readsAtOnce = 16;
const resultLimitBytes = 4 * 1024;

interface ResultKey {
  readonly key: string;
  readonly checkpoint: string;
  readonly evaluation: string;
}

interface Known {
  readonly evaluation: string;
  readonly result: EvaluationResult;
}

function resultKey(key: string): ResultKey | undefined {
  const [, checkpoint, evaluation] = /^(.*\/[0-9]+)\/results\/([^/]+)\.json$/.exec(key) ?? [];
  return checkpoint === undefined || evaluation === undefined ? undefined : { key, checkpoint, evaluation };
}

/** A correction counts from when it ended well; one that failed corrects nothing. */
function counted(found: readonly Known[]): CheckpointResult | undefined {
  if (found.length === 0) return undefined;
  const corrected = found.flatMap(({ result }) => (result.lossNatsPerToken === undefined ? [] : [result.supersedes]));
  const losses = found
    .filter(({ evaluation }) => !corrected.includes(evaluation))
    .flatMap(({ result }) => (result.lossNatsPerToken === undefined ? [] : [result.lossNatsPerToken]));
  return { lossNatsPerToken: losses.length === 0 ? undefined : Math.min(...losses) };
}

/** Undefined when it is damaged: then its checkpoint counts as not measured, and stays. */
function parsed(bytes: Uint8Array): EvaluationResult | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { manifestSha256, lossNatsPerToken, supersedes }: Record<string, unknown> = Object(value);
    if (typeof manifestSha256 !== "string") return undefined;
    const isLoss = typeof lossNatsPerToken === "number" && Number.isFinite(lossNatsPerToken);
    return {
      manifestSha256,
      ...(isLoss && { lossNatsPerToken }),
      ...(typeof supersedes === "string" && { supersedes }),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
