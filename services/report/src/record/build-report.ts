/** The record of an experiment, computed from its history alone: no clock, no store. Equal histories give equal records. */
import { create } from "@bufbuild/protobuf";
import {
  Evaluation_State,
  Experiment_State,
  type Part,
  type Recipe,
  type Report,
  Report_Completeness,
  ReportSchema,
  Score_Subject,
} from "@pretrain/proto";
import { type EvaluatedCheckpoint, evaluatedCheckpoints } from "./checkpoint-evaluations.ts";
import { continuity } from "./continuity.ts";
import { execution, isFinal } from "./execution.ts";
import { gaps } from "./gaps.ts";
import type { History } from "./history.ts";
import { Judge, type Settled } from "./indicators.ts";
import { knownEvaluations } from "./known-evaluations.ts";
import { measurements } from "./measurements.ts";
import { acceptedSamples, memorySummary } from "./memory-summary.ts";
import { moments } from "./moments.ts";
import { hypothesisOutcome, predictionOutcome } from "./outcomes.ts";
import { present } from "./present.ts";
import { unsupportedNumbers } from "./prose/unsupported-numbers.ts";
import { isRemoved, withRemoval } from "./removed-checkpoints.ts";
import { type RunEnd, runEnd } from "./run-end.ts";
import { runSteps } from "./run-steps.ts";
import { scoreSummaries } from "./scores.ts";
import { withSealedBeginning } from "./sealed-beginning.ts";
import { timeSummary } from "./time-summary.ts";
import { trainingSummary } from "./training-summary.ts";
import { warnings } from "./warnings/warnings.ts";

export function buildReport(given: History): Report {
  const history = withSealedBeginning(given);
  const first = history.transitions[0];
  const recipe = first?.recipe;
  const run = execution(history);
  const attempt = history.attempts.at(-1);
  const origin = first?.origin;
  const steps = runSteps(history.steps, Number(origin?.microStep ?? 0));
  const evaluations = knownEvaluations(history.evaluations);
  const checkpoints = evaluatedCheckpoints(history.checkpoints, history.resumptions, evaluations, recipe?.evaluation);
  const written = checkpoints.map(({ checkpoint }) => withRemoval(checkpoint, history.removals));
  const kept = written.filter((checkpoint) => !isRemoved(checkpoint));
  const named = moments(history.transitions, steps.ends);
  const time = timeSummary(named, steps);
  const samples = acceptedSamples(history.memory, history.resumptions);
  const memory = memorySummary(history.memory, samples, attempt?.environment?.deviceMemoryBytes);
  const end = runEnd(history, steps.missing, checkpoints);
  const settled = settledNumbers(run.state, end, checkpoints.at(-1));
  const scores = scoreSummaries(history.annotations);
  const quality = scores.find(({ subject }) => subject === Score_Subject.QUALITY);
  const judge = new Judge(measurements({ steps, memory, time, checkpoints, quality }), settled);
  const report = create(ReportSchema, {
    name: `${history.experiment}/report`,
    title: first?.title || history.experiment.replace(/^experiments\//, ""),
    completeness: completeness(run.state, end, checkpoints),
    recipeSha256: first?.recipeSha256 ?? "",
    moments: named,
    execution: run,
    ...present({ recipe, origin, environment: attempt?.environment, dataset: history.datasets.at(-1)?.report }),
    training: trainingSummary({ steps, attempt, training: recipe?.training }),
    memory,
    time,
    ...judged(recipe, judge),
    evaluations,
    files: kept.flatMap((checkpoint) => checkpoint.parts.map((part) => fileOf(part, checkpoint.microStep))),
    checkpoints: written,
    log: [...history.log],
    lossCurve: steps.curve.points(),
    gaps: gaps({ history, state: run.state, missing: steps.missing, end, checkpoints, evaluations }),
    annotations: [...history.annotations],
    warnings: warnings({
      watched: steps.watched,
      transitions: history.transitions,
      memory: samples,
      lastMicroStep: steps.missing.last,
    }),
    scores,
    continuity: continuity({ history, state: run.state, missing: steps.missing, end }),
  });
  report.unsupportedNumbers = unsupportedNumbers(report);
  return report;
}

function judged(recipe: Recipe | undefined, judge: Judge) {
  return {
    indicators: judge.indicators(recipe),
    predictions: (recipe?.predictions ?? []).map((prediction) => predictionOutcome(prediction, judge)),
    hypotheses: (recipe?.hypotheses ?? []).map((hypothesis) => hypothesisOutcome(hypothesis, judge)),
  };
}

/** A run that did not complete has no final number: its targets stay undecided. */
function settledNumbers(
  state: Experiment_State,
  { hasLastStep, hasLastCheckpoint }: RunEnd,
  last: EvaluatedCheckpoint | undefined,
): Settled {
  const training = state === Experiment_State.COMPLETED && hasLastStep;
  return {
    training,
    evaluation: training && hasLastCheckpoint && last?.evaluation?.state === Evaluation_State.SUCCEEDED,
  };
}

/** Metrics and events travel apart: COMPLETED can arrive before the last step does. */
function completeness(
  state: Experiment_State,
  { hasLastStep, hasLastCheckpoint }: RunEnd,
  checkpoints: readonly EvaluatedCheckpoint[],
): Report_Completeness {
  const isWhole = state !== Experiment_State.COMPLETED || (hasLastStep && hasLastCheckpoint);
  const isEvaluated = checkpoints.every(({ evaluation }) => evaluation !== undefined);
  return isFinal(state) && isWhole && isEvaluated ? Report_Completeness.FINAL : Report_Completeness.OPEN;
}

/** All checkpoints have a `model.safetensors`; among the files of the experiment the micro-step tells them apart. */
function fileOf(part: Part, microStep: bigint): Part {
  return { ...part, name: `checkpoints/${microStep}/${part.name}` };
}
