/**
 * Checkpoints as they lie in the store's folder, read and verified without the program's own reader. Which of them count
 * follows from the attempts' claims: one of attempt a at micro-step n counts when no later attempt went on from before n.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { at, type Json, numberAt, textAt } from "./event-rows.ts";

export interface StoredCheckpoint {
  readonly microStep: number;
  readonly attempt: number;
  readonly isFinal: boolean;
  /** SHA-256 of each part as the manifest names it. */
  readonly digests: Readonly<Record<string, string>>;
  /** What is wrong with its bytes. */
  readonly faults: readonly string[];
}

/** Every checkpoint of the experiment that counts, by micro-step; of one micro-step the latest attempt's. */
export function storedCheckpoints(blobs: string, experiment: string): StoredCheckpoint[] {
  const folder = join(blobs, "experiments", experiment);
  const claims = entries(join(folder, "attempts")).map((name) => parsed(join(folder, "attempts", name)));
  const byStep = new Map<number, StoredCheckpoint>();
  for (const step of entries(join(folder, "checkpoints"))) {
    for (const name of entries(join(folder, "checkpoints", step)).filter((each) => each.endsWith("manifest.json"))) {
      const checkpoint = readStored(blobs, join(folder, "checkpoints", step, name));
      const { microStep, attempt } = checkpoint;
      const isOvertaken = claims.some(
        (claim) => numberAt(claim, "attempt") > attempt && numberAt(claim, "resumesFrom") < microStep,
      );
      if (!isOvertaken && (byStep.get(microStep)?.attempt ?? 0) < attempt) byStep.set(microStep, checkpoint);
    }
  }
  return [...byStep.values()].sort((a, b) => a.microStep - b.microStep);
}

/** Nonces of the attempts, by number, as their claims say. */
export function claimedNonces(blobs: string, experiment: string): Map<number, string> {
  const folder = join(blobs, "experiments", experiment, "attempts");
  const claims = entries(folder).map((name) => parsed(join(folder, name)));
  return new Map(claims.map((claim) => [numberAt(claim, "attempt"), textAt(claim, "nonce")]));
}

/** Beyond this a file is later than a claim, whatever the granularity of the file system's times; the kernel's clock made both. */
const laterMs = 200;

/**
 * By attempt, manifests that it wrote after a later attempt had begun. One may be: a process that was stopped between its
 * question whether it may write and the write finishes that write when it goes on.
 */
export function lateManifests(blobs: string, experiment: string): Map<number, string[]> {
  const folder = join(blobs, "experiments", experiment);
  const claims = entries(join(folder, "attempts")).map((name) => ({
    attempt: Number.parseInt(name, 10),
    timeMs: timeOf(join(folder, "attempts", name)),
  }));
  const manifests = entries(join(folder, "checkpoints")).flatMap((step) =>
    entries(join(folder, "checkpoints", step))
      .filter((name) => name.endsWith("manifest.json"))
      .map((name) => ({ attempt: Number.parseInt(name, 10), file: join(folder, "checkpoints", step, name) })),
  );
  const late = manifests.filter(({ attempt, file }) =>
    claims.some((claim) => claim.attempt > attempt && claim.timeMs + laterMs < timeOf(file)),
  );
  return new Map(
    [...Map.groupBy(late, ({ attempt }) => attempt)].map(([attempt, found]) => [
      attempt,
      found.map(({ file }) => file),
    ]),
  );
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0; // retention may have removed it
}

function readStored(blobs: string, file: string): StoredCheckpoint {
  const manifest = parsed(file);
  const parts = at(manifest, "parts");
  const digests: Record<string, string> = {};
  const faults: string[] = [];
  for (const part of Array.isArray(parts) ? parts : []) {
    digests[textAt(part, "name")] = textAt(part, "sha256");
    const fault = faultOf(join(blobs, textAt(part, "blob")), textAt(part, "sha256"));
    if (fault !== undefined) faults.push(fault);
  }
  if (Object.keys(digests).length !== 3) faults.push(`${file} names ${Object.keys(digests).length} parts`);
  const [microStep, attempt] = [numberAt(manifest, "microStep"), numberAt(manifest, "attempt")];
  return { microStep, attempt, isFinal: at(manifest, "final") === true, digests, faults };
}

function faultOf(file: string, sha256: string): string | undefined {
  try {
    const found = createHash("sha256").update(readFileSync(file)).digest("hex");
    return found === sha256 ? undefined : `${file} has the SHA-256 ${found}, not ${sha256}`;
  } catch (error) {
    return `${file} cannot be read: ${String(error)}`;
  }
}

function parsed(file: string): Json {
  return JSON.parse(readFileSync(file, "utf8")) as Json;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
