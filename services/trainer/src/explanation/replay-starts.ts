/**
 * From where past micro-steps can be computed again: the experiment's own checkpoints, the newest first; before those, what its
 * first attempt began with.
 */
import type { BlobStore } from "@pretrain/blobs";
import {
  acquireCheckpoint,
  type CheckpointState,
  checkpointName,
  parseCheckpointName,
  readCheckpointState,
  releaseCheckpoint,
  type SealedCheckpoint,
} from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import type { Experiment } from "@pretrain/proto";
import { importedFiles } from "../experiment/imported-files.ts";
import type { TrainingSetup } from "../worker/protocol.ts";
import { explanationHolder, releaseForgotten } from "./explanation-holds.ts";

export interface ReplayStart {
  /** For a person: a checkpoint's name, a folder, or `its seed`. */
  readonly name: string;
  /** Held until `release`. */
  readonly checkpoint: { readonly sealed: SealedCheckpoint; readonly state: CheckpointState } | undefined;
  readonly imported: TrainingSetup["imported"];
  /** When it is loaded, or not needed after all; again without effect. */
  readonly release: () => Promise<void>;
}

export interface StartsOptions {
  readonly blobs: BlobStore;
  readonly experiment: Pick<Experiment, "origin">;
  /** The experiment's own that may be begun from, oldest first. */
  readonly checkpoints: readonly SealedCheckpoint[];
  readonly now: () => Date;
  /** Hears of one that cannot be used. */
  readonly onUnusable: (name: string, reason: string) => void;
}

/** Each is there when it is given out; the next one is looked for when that one turns out to be damaged. */
export async function* replayStarts(options: StartsOptions): AsyncGenerator<ReplayStart> {
  const { checkpoints, experiment } = options;
  for (const { manifest, manifestSha256 } of checkpoints.toReversed()) {
    const start = await held(options, checkpointName(manifest), manifestSha256);
    if (start !== undefined) yield start;
  }
  const { origin } = experiment;
  if (origin !== undefined && origin.imported === undefined) {
    const start = await held(options, origin.checkpoint, origin.manifestSha256);
    if (start !== undefined) yield start;
  } else {
    const imported = importedFiles(origin);
    yield { name: imported?.source ?? "its seed", checkpoint: undefined, imported, release: async () => undefined };
  }
}

/** Undefined when it is gone, damaged, or another one by now. */
async function held(
  { blobs, now, onUnusable }: StartsOptions,
  name: string,
  manifestSha256: string,
): Promise<ReplayStart | undefined> {
  const id = parseCheckpointName(name);
  const holder = explanationHolder(now());
  const release = () => releaseCheckpoint(blobs, id, holder);
  try {
    await releaseForgotten(blobs, id, now());
    const sealed = await acquireCheckpoint(blobs, id, holder);
    if (sealed.manifestSha256 === manifestSha256) {
      const state = await readCheckpointState(blobs, sealed);
      return { name, checkpoint: { sealed, state }, imported: undefined, release };
    }
    onUnusable(name, `its manifest's digest is ${sealed.manifestSha256}, not ${manifestSha256}`);
  } catch (error) {
    if (!(error instanceof NotFound || error instanceof DataLoss)) throw error;
    onUnusable(name, error.message);
  }
  await release();
  return undefined;
}
