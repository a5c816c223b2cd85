/** Where a checkpoint lies in the store, and what it is called. */
import { InvalidArgument } from "@pretrain/errors";

export interface CheckpointId {
  /** Canonical id of the experiment, such as `1-4-0`. */
  readonly experiment: string;
  /** Micro-steps done when it was taken. */
  readonly microStep: number;
}

/** The checkpoint that one attempt wrote: of several at one micro-step at most one counts (lineage.ts). */
export interface AttemptCheckpoint extends CheckpointId {
  /** From 1. */
  readonly attempt: number;
}

const namePattern = /^experiments\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/checkpoints\/(0|[1-9][0-9]{0,14})$/;

/** `experiments/{id}/checkpoints/{micro-step}`: its name in the API, and its folder in the store. */
export function checkpointName({ experiment, microStep }: CheckpointId): string {
  return `${checkpointsPrefix(experiment)}${microStep}`;
}

/** @throws InvalidArgument naming `field` when it is no name of a checkpoint */
export function parseCheckpointName(name: string, field = "name"): CheckpointId {
  const [, experiment, microStep] = namePattern.exec(name) ?? [];
  if (experiment !== undefined && microStep !== undefined) return { experiment, microStep: Number(microStep) };
  const shown = JSON.stringify(name.slice(0, 150));
  const description = `${shown} is no name of a checkpoint: experiments/{id}/checkpoints/{micro-step} is expected`;
  throw new InvalidArgument([{ field, description }]);
}

/** Keys of everything that belongs to an experiment's checkpoints begin with it. */
export function checkpointsPrefix(experiment: string): string {
  return `experiments/${experiment}/checkpoints/`;
}

/** Of one attempt, so that it is created once and never overwritten. */
export function manifestKey(id: AttemptCheckpoint): string {
  return `${checkpointName(id)}/${id.attempt}.manifest.json`;
}

/** Whose manifest this key is; undefined when it is none's. */
export function parseManifestKey(key: string): AttemptCheckpoint | undefined {
  const [, folder, attempt] = /^(.*)\/([1-9][0-9]{0,5})\.manifest\.json$/.exec(key) ?? [];
  if (folder === undefined || !namePattern.test(folder)) return undefined;
  return { ...parseCheckpointName(folder), attempt: Number(attempt) };
}

/**
 * Named by its content, so that a part is never changed under a manifest that vouches for it, and by its attempt, so that
 * what one attempt left can be removed without a look at the others.
 */
export function partKey(id: AttemptCheckpoint, partName: string, sha256: string): string {
  return `${checkpointName(id)}/${id.attempt}.${sha256.slice(0, 16)}.${partName}`;
}

/** Whose part this key is; undefined when it is none's. */
export function parsePartKey(key: string): AttemptCheckpoint | undefined {
  const [, folder, attempt] = partPattern.exec(key) ?? [];
  if (folder === undefined || !namePattern.test(folder)) return undefined;
  return { ...parseCheckpointName(folder), attempt: Number(attempt) };
}

const partPattern =
  /^(.*)\/([1-9][0-9]{0,5})\.[0-9a-f]{16}\.(?:model\.safetensors|optimizer\.safetensors|state\.json)$/;

/** Of every removal of this attempt's checkpoint. */
export function removalPrefix(id: AttemptCheckpoint): string {
  return `${checkpointName(id)}/removals/${id.attempt}-`;
}

export function removalKey(id: AttemptCheckpoint, mark: string): string {
  return `${removalPrefix(id)}${mark}.json`;
}

/** Whose removal this key is; undefined when it is none's. */
export function parseRemovalKey(key: string): AttemptCheckpoint | undefined {
  const [, folder, attempt] = /^(.*)\/removals\/([1-9][0-9]{0,5})-[A-Za-z0-9_-]{1,64}\.json$/.exec(key) ?? [];
  if (folder === undefined || !namePattern.test(folder)) return undefined;
  return { ...parseCheckpointName(folder), attempt: Number(attempt) };
}
