/** One flipped bit in the newest checkpoint, as a failing disk leaves it. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storedCheckpoints } from "./oracle/stored-checkpoints.ts";

/** @param place in [0, 1): which byte of all its files  @returns its micro-step; undefined when there is no checkpoint */
export function damageNewestCheckpoint(state: string, experiment: string, place: number): number | undefined {
  const blobs = join(state, "blobs");
  const newest = storedCheckpoints(blobs, experiment).at(-1);
  if (newest === undefined || newest.isFinal) return undefined;
  const folder = join(blobs, "experiments", experiment, "checkpoints", String(newest.microStep));
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const file = files[Math.floor(place * files.length)];
  if (file === undefined) return undefined;
  flipBit(join(folder, file.name), place);
  return newest.microStep;
}

/** Flips one bit of one byte. @param place in [0, 1): where in the file @returns the byte's offset */
export function flipBit(file: string, place: number): number {
  const bytes = readFileSync(file);
  const offset = Math.floor(place * bytes.length);
  bytes.writeUInt8((bytes[offset] ?? 0) ^ (1 << (Math.floor(place * 7919) % 8)), offset);
  writeFileSync(file, bytes);
  return offset;
}
