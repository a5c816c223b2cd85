/** Which step is meant, and what was computed of it: the rules of an explanation, without a store or a process. */
import { create } from "@bufbuild/protobuf";
import type { CheckpointList, SealedCheckpoint } from "@pretrain/checkpoint";
import { DataLoss, NotFound } from "@pretrain/errors";
import {
  type Experiment,
  type ExperimentRecord,
  Experiment_Reason as Reason,
  Experiment_State as State,
  type StepExplanation,
  StepExplanationSchema,
} from "@pretrain/proto";
import { isFinal } from "../experiment/lifecycle.ts";
import { experimentOf } from "../experiment/record.ts";
import { endsOptimizerStep, optimizerStepAround, type StepPlan } from "../experiment/step-plan.ts";
import type { ExaminedRow } from "../worker/protocol.ts";
import type { Replayed } from "./replay-on-child.ts";

/** A step that was computed. */
export interface PastStep {
  readonly microStep: number;
  /** Micro-steps done when its optimizer step began: its weights are those of that moment. */
  readonly begin: number;
  /** The micro-step that ends its optimizer step; undefined: the plan ends before. */
  readonly end: number | undefined;
  /** The last one to compute again. */
  readonly last: number;
}

/** How far an experiment has come, as far as record and checkpoints know. */
export interface Reached {
  /** The last micro-step that was computed; 0: none. */
  readonly microStep: number;
  /** The last attempt that trained; 0: none. */
  readonly attempt: number;
  /** Whether the micro-step behind that one ended the experiment: its loss or its gradient was no number. */
  readonly endedByNext: boolean;
}

export function reached(record: ExperimentRecord, { checkpoints }: Pick<CheckpointList, "checkpoints">): Reached {
  const newest = checkpoints.at(-1)?.manifest.microStep ?? 0;
  const attempt = record.transitions.findLast(({ to }) => to === State.RUNNING)?.attempt ?? 0;
  const { progress, state, reason } = experimentOf(record);
  const endedByNext = state === State.FAILED && reason === Reason.NOT_FINITE;
  return { attempt, endedByNext, microStep: Math.max(Number(progress?.microStep ?? 0n), newest) };
}

/** @throws NotFound STEP_NOT_COMPUTED when there is no such step; STEP_OF_PARENT when a fork's parent computed it */
export function expectComputed({ name, origin }: Experiment, done: Reached, microStep: number): void {
  const last = done.microStep + Number(done.endedByNext);
  const forkedAt = Number(origin?.microStep ?? 0n);
  const metadata = { experiment: name, micro_step: `${microStep}` };
  if (microStep <= forkedAt) {
    const [parent = ""] = origin?.checkpoint.split("/checkpoints/") ?? [];
    const message = `${name} goes on from micro-step ${forkedAt} of ${parent}, which computed ${microStep}; ask for it there`;
    throw new NotFound("STEP_OF_PARENT", message, { ...metadata, parent });
  }
  if (microStep <= last) return;
  const message = `${name} has not computed micro-step ${microStep}; ${last} is the last one that its record knows of`;
  throw new NotFound("STEP_NOT_COMPUTED", message, { ...metadata, last: `${last}` });
}

/** Where the step stands. What a run that has ended never came to is not computed now either. */
export function pastStep(
  plan: StepPlan,
  { state }: Experiment,
  { microStep: done }: Reached,
  microStep: number,
): PastStep {
  const { begin, end } = optimizerStepAround(plan, microStep);
  const isWhole = end !== undefined && (!isFinal(state) || end <= done);
  return { microStep, begin, end, last: isWhole ? end : microStep };
}

/** Those that hold everything that decides the step. The very last of a run may stand inside an accumulation that it dropped. */
export function usableCheckpoints(
  { checkpoints }: Pick<CheckpointList, "checkpoints">,
  plan: StepPlan,
  recipeSha256: string,
  begin: number,
): SealedCheckpoint[] {
  return checkpoints.filter(({ manifest }) => {
    const isBetween = manifest.microStep === 0 || endsOptimizerStep(plan, manifest.microStep);
    return isBetween && manifest.microStep <= begin && manifest.recipeSha256 === recipeSha256;
  });
}

export interface ExplanationFacts {
  readonly experiment: string;
  readonly past: PastStep;
  readonly attempt: number;
  /** Empty: from the seed. */
  readonly checkpoint: string;
  readonly inexact: readonly string[];
}

/** @throws DataLoss when the batch does not say which rows it has */
export function stepExplanation({ past, ...facts }: ExplanationFacts, replayed: Replayed): StepExplanation {
  const { step, rows, rowIds, microSteps, update } = replayed;
  const nats = rows.reduce((sum, { lossNats }) => sum + lossNats, 0);
  return create(StepExplanationSchema, {
    ...facts,
    inexact: [...facts.inexact],
    microStep: BigInt(past.microStep),
    optimizerStep: BigInt(step.optimizerStep),
    epoch: step.epoch,
    replayedMicroSteps: BigInt(microSteps),
    lossNats: step.lossNats,
    lossTokens: BigInt(step.lossTokens),
    learningRate: step.learningRate,
    optimizerMicroStep: BigInt(past.end ?? 0),
    ...update,
    rows: rows.map((row) => rowMessage(row, rowIds, nats)),
  });
}

function rowMessage({ place, lossNats, lossTokens, ...row }: ExaminedRow, rowIds: readonly number[], sum: number) {
  const rowId = rowIds[place];
  if (rowId === undefined) throw new DataLoss("ROW_UNKNOWN", `data-shard does not say which row is number ${place}`);
  return {
    rowId: BigInt(rowId),
    text: row.text,
    lossNats,
    lossTokens: BigInt(lossTokens),
    lossShare: sum === 0 ? 0 : lossNats / sum,
    ...(row.gradientNorm !== undefined && { gradientNorm: row.gradientNorm }),
    tokens: row.targets.map(({ token, text, nats }) => ({ token, text, nats })),
  };
}
