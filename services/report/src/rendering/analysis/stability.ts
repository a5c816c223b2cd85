/** How steady the run was, in sentences made of the numbers of the record. */
import { Experiment_State, type Report } from "@pretrain/proto";
import { counted, duration, fixed, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { stateText } from "../wording.ts";

const finalStates: ReadonlySet<Experiment_State> = new Set([
  Experiment_State.COMPLETED,
  Experiment_State.FAILED,
  Experiment_State.CANCELLED,
]);

/** Nothing of a run without a step. */
export function stabilitySentences(report: Report, words: Phrases): string[] {
  if (!report.training?.microSteps) return [];
  return [
    ...times(report, words),
    ...throughput(report, words),
    ...clipping(report, words),
    ...attempts(report, words),
    ending(report, words),
  ];
}

function times({ training, time }: Report, { analysis }: Phrases): string[] {
  const epochs = training?.epochs ?? [];
  if (time?.trainingSeconds === undefined || epochs.length === 0) return [];
  const seconds = epochs.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  return [analysis.trained(duration(time.trainingSeconds), duration(seconds / epochs.length))];
}

function throughput({ time }: Report, { analysis }: Phrases): string[] {
  const { tokensPerSecond, positionsPerSecond } = time ?? {};
  if (tokensPerSecond === undefined || positionsPerSecond === undefined) return [];
  return [analysis.throughput(fixed(tokensPerSecond, 0), fixed(positionsPerSecond, 0))];
}

function clipping({ training, recipe }: Report, { analysis }: Phrases): string[] {
  const { optimizerSteps = 0n, clippedSteps = 0n, largestGradientNorm, largestGradientMicroStep } = training ?? {};
  const bound = recipe?.training?.gradClip;
  if (optimizerSteps === 0n || bound === undefined) return [];
  if (largestGradientNorm === undefined) return [analysis.noNorm];
  const counts = {
    clipped: counted(clippedSteps),
    all: counted(optimizerSteps),
    share: percent(Number(clippedSteps) / Number(optimizerSteps)),
    bound: String(bound),
  };
  const largest = analysis.largestNorm(fixed(largestGradientNorm, 4), counted(largestGradientMicroStep ?? 0n));
  return [analysis.clipping(counts), largest];
}

function attempts({ continuity, execution }: Report, { analysis }: Phrases): string[] {
  const count = continuity?.attempts ?? execution?.attempts.length ?? 0;
  if (count === 0) return [];
  if (count === 1) return [analysis.noInterruption];
  return [analysis.interruptions(counted(count), counted(continuity?.interruptions ?? count - 1))];
}

function ending({ execution }: Report, words: Phrases): string {
  const state = execution?.state ?? Experiment_State.UNSPECIFIED;
  const text = stateText(state, words);
  return finalStates.has(state) ? words.analysis.endedIn(text) : words.analysis.notEnded(text);
}
