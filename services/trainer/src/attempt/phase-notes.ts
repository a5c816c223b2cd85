/** What the event of each phase says of it: measured facts, in one line. */
import type { Environment, Progress } from "@pretrain/proto";
import { totals } from "../experiment/step-plan.ts";
import type { BuiltModel } from "./attempt-phases.ts";
import type { PreparedDataset } from "./prepare-dataset.ts";
import type { TakenExperiment } from "./take-experiment.ts";

export function environmentNote({ tensorflow, device, intraOpThreads, onednn, precision }: Environment): string {
  return `TensorFlow ${tensorflow} on ${device}, ${intraOpThreads} threads, oneDNN ${onednn ? "on" : "off"}, ${precision}`;
}

export function dataNote({ dataset, report }: PreparedDataset): string {
  const rejected = report.rejected.reduce((sum, { rows }) => sum + rows, 0n);
  const rows = `${dataset.trainRows} training and ${dataset.validationRows} validation rows`;
  return `${rows}, ${rejected} of ${report.rowsRead} rejected, ${dataset.vocabularySize} tokenizer entries`;
}

export function modelNote(taken: TakenExperiment, { ready, plan }: BuiltModel): string {
  return `${(ready.parameters / 1e6).toFixed(2)} M parameters from ${beginningOf(taken)}, ${totals(plan).microSteps} micro-steps to do`;
}

function beginningOf({ resume, origin, recipe }: TakenExperiment): string {
  if (resume !== undefined) return `checkpoint of micro-step ${resume.manifest.microStep}`;
  return origin?.imported?.source ?? `seed ${recipe.training.seed}`;
}

export function trainingNote(progress: Progress): string {
  return `${progress.microStep} micro-steps, ${progress.optimizerStep} optimizer steps, ${Math.round(progress.tokensPerSecond)} tokens/s at the end`;
}
