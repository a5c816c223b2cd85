/**
 * What checkpoints cost a run, and whether one that goes on from a checkpoint is the run that never stopped. One process trains from the
 * beginning to the end and takes checkpoints on its way; a second one goes on from the last but one. Both are the trainer's own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openBlobs } from "@pretrain/blobs";
import { type SealedCheckpoint, sealCheckpoint } from "@pretrain/checkpoint";
import type { Config } from "./protocol.ts";
import { median } from "./statistics.ts";
import { type ChildCheckpoint, type ChildRun, runChild } from "./trainer-child.ts";

export interface CheckpointCosts {
  /** Median of the steps while nothing was written, without the first two, which trace. */
  readonly step_seconds: number;
  /** How long training stood still for a checkpoint: median, and the longest. */
  readonly pause_seconds: number;
  readonly longest_pause_seconds: number;
  readonly pause_share_of_step: number;
  /** From the first byte copied to the last one durable, median. */
  readonly write_seconds: number;
  /** Median of the steps during which a checkpoint was written, divided by `step_seconds`. */
  readonly step_while_writing: number;
  readonly bytes: number;
}

export interface Exactness {
  /** Steps that were computed twice: by the run that went on, and by the one that began again from a checkpoint. */
  readonly steps: number;
  /** Losses, gradient norms, weights and both moments. */
  readonly bit_equal: boolean;
  /** Of the second process: from its start until it can compute, and to the end of its first step. */
  readonly resume_ready_seconds: number;
  readonly resume_first_step_seconds: number;
}

/** Steps between two checkpoints: enough for the first one to be written while others are not disturbed. */
const interval = 6;

export async function checkpoint(config: Config, rounds: number): Promise<CheckpointCosts & Exactness> {
  const folder = mkdtempSync(join(tmpdir(), "pretrain-checkpoint-"));
  try {
    const blobs = pathToFileURL(join(folder, "blobs")).href;
    const options = { config, blobs, programs: join(folder, "programs"), steps: interval * Math.max(2, rounds) };
    const whole = await runChild({ ...options, saveInterval: interval, resume: undefined });
    const resume = await sealed(blobs, whole.checkpoints.at(-2));
    const resumed = await runChild({ ...options, saveInterval: interval, resume });
    return { ...costs(whole), ...exactness(whole, resumed) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function costs({ steps, checkpoints }: Pick<ChildRun, "steps" | "checkpoints">): CheckpointCosts {
  const seconds = (microStep: number) => (steps[microStep - 1]?.times.totalMs ?? Number.NaN) / 1000;
  const pauses = new Map(checkpoints.map(({ state, pauseSeconds }) => [state.microStep + 1, pauseSeconds]));
  const computing = (microStep: number) => seconds(microStep) - (pauses.get(microStep) ?? 0); // a pause is part of the step behind it
  const writing = new Set(checkpoints.flatMap((each) => stepsWhileWriting(each, computing)));
  const all = steps.map(({ microStep }) => microStep);
  const step_seconds = median(all.filter((microStep) => microStep > 2 && !writing.has(microStep)).map(computing));
  const whole = [...writing].filter((microStep) => microStep <= steps.length);
  const pause_seconds = median([...pauses.values()]);
  return {
    step_seconds,
    pause_seconds,
    longest_pause_seconds: Math.max(...pauses.values()),
    pause_share_of_step: pause_seconds / step_seconds,
    write_seconds: median(checkpoints.map(({ writeSeconds }) => writeSeconds)),
    step_while_writing: median(whole.map(computing)) / step_seconds,
    bytes: checkpoints[0]?.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) ?? 0,
  };
}

/** The steps behind a checkpoint until it is durable, the last one of them only in part. */
function stepsWhileWriting({ state, writeSeconds }: ChildCheckpoint, seconds: (microStep: number) => number): number[] {
  const found: number[] = [];
  for (let [next, left] = [state.microStep + 1, writeSeconds]; left > 0; next += 1) {
    found.push(next);
    left -= seconds(next);
    if (Number.isNaN(left)) break; // behind the last step
  }
  return found;
}

export function exactness(whole: ChildRun, resumed: ChildRun): Exactness {
  const again = whole.steps.slice(-resumed.steps.length);
  const numbers = (run: Pick<ChildRun, "steps">) =>
    JSON.stringify(run.steps.map(({ microStep, lossNats, update }) => [microStep, lossNats, update]));
  const tensors = ({ checkpoints }: ChildRun) =>
    checkpoints.at(-1)?.parts.flatMap(({ name, sha256 }) => (name === "state.json" ? [] : [sha256]));
  const [ours, theirs] = [tensors(whole), tensors(resumed)];
  return {
    steps: resumed.steps.length,
    bit_equal: numbers({ steps: again }) === numbers(resumed) && ours !== undefined && String(ours) === String(theirs),
    resume_ready_seconds: resumed.readySeconds,
    resume_first_step_seconds: resumed.firstStepSeconds,
  };
}

async function sealed(blobs: string, written: ChildCheckpoint | undefined): Promise<SealedCheckpoint> {
  if (written === undefined) throw new Error("no checkpoint was written");
  const { state, parts, writeSeconds } = written;
  const { cursor: _cursor, seed: _seed, datasetSha256: _sha256, exactness: _exactness, ...shared } = state;
  const manifest = { ...shared, final: false, createTime: new Date().toISOString(), writeSeconds, parts };
  return await sealCheckpoint(openBlobs(blobs), manifest);
}

export function checkpointTable(found: CheckpointCosts & Exactness): string {
  const line = (name: string, value: string) => `${name.padEnd(56)} ${value}`;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    line("a step", `${found.step_seconds.toFixed(3)} s`),
    line(
      "training stands still for a checkpoint",
      `${found.pause_seconds.toFixed(3)} s, ${percent(found.pause_share_of_step)} of a step`,
    ),
    line("the longest of these pauses", `${found.longest_pause_seconds.toFixed(3)} s`),
    line("a checkpoint is durable after", `${found.write_seconds.toFixed(2)} s, ${(found.bytes / 1e6).toFixed(0)} MB`),
    line("steps meanwhile take", `${found.step_while_writing.toFixed(3)} times as long`),
    line(
      `${found.steps} steps from a checkpoint on are those of the run that went on`,
      found.bit_equal ? "bit for bit" : "NO",
    ),
    line("a process that goes on from it can compute after", `${found.resume_ready_seconds.toFixed(2)} s`),
    line("and has computed its first step after", `${found.resume_first_step_seconds.toFixed(2)} s`),
  ].join("\n");
}
