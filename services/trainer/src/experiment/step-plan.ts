/**
 * How the steps of a run follow from its rows. With 10 rows, batches of 4 and an accumulation of 2, for two epochs:
 *
 *     micro-step       1   2   3  │  4   5   6         the third batch of each epoch holds 2 rows
 *     carry                ▲        ▲       ▲         ▲ ends an optimizer step: 3, counted through
 *     step                 ▲   ▲        ▲   ▲         4: an epoch's end ends what it has
 */
export interface StepPlan {
  readonly epochs: number;
  readonly microStepsPerEpoch: number;
  readonly accumulationSteps: number;
  readonly lastAccumulation: "carry" | "step";
}

export interface StepTotals {
  readonly microSteps: number;
  readonly optimizerSteps: number;
}

/** Batches of one epoch; the last one may hold fewer rows. */
export function microStepsPerEpoch(rows: number, batchSize: number): number {
  return Math.ceil(rows / batchSize);
}

/** What `carry` leaves over at the very end is trained on and then dropped: it ends no optimizer step. */
export function totals(plan: StepPlan): StepTotals {
  const microSteps = plan.epochs * plan.microStepsPerEpoch;
  return { microSteps, optimizerSteps: optimizerStepsAfter(plan, microSteps) };
}

/** Optimizer steps that the first `microStep` micro-steps complete. */
export function optimizerStepsAfter(plan: StepPlan, microStep: number): number {
  const { accumulationSteps, lastAccumulation, microStepsPerEpoch: perEpoch } = plan;
  if (lastAccumulation === "carry") return Math.floor(microStep / accumulationSteps);
  const epochs = Math.floor(microStep / perEpoch);
  return epochs * Math.ceil(perEpoch / accumulationSteps) + Math.floor((microStep % perEpoch) / accumulationSteps);
}

/** Whether an optimizer step is taken after this micro-step, counted from 1. */
export function endsOptimizerStep(plan: StepPlan, microStep: number): boolean {
  return optimizerStepsAfter(plan, microStep) > optimizerStepsAfter(plan, microStep - 1);
}

/** The micro-steps of one optimizer step. */
export interface OptimizerStepExtent {
  /** Micro-steps done before its first one. */
  readonly begin: number;
  /** Its last micro-step; undefined: the plan ends before. */
  readonly end: number | undefined;
}

/** The optimizer step that a micro-step, from 1, belongs to. */
export function optimizerStepAround(plan: StepPlan, microStep: number): OptimizerStepExtent {
  const last = totals(plan).microSteps;
  let end = microStep;
  while (end <= last && !endsOptimizerStep(plan, end)) end += 1;
  return { begin: lastEndBefore(plan, microStep), end: end <= last ? end : undefined };
}

/** Epoch, from 1, of a micro-step, from 1. */
export function epochOf(plan: StepPlan, microStep: number): number {
  return Math.floor((microStep - 1) / plan.microStepsPerEpoch) + 1;
}

/**
 * Whether a checkpoint is due after this micro-step: at the end, and at the first end of an optimizer step at or behind each
 * multiple of `interval`, since between two optimizer steps there is no half accumulated gradient to keep. Under `carry`
 * that is the multiple itself.
 */
export function isCheckpointDue(plan: StepPlan, interval: number, microStep: number): boolean {
  if (microStep === totals(plan).microSteps) return true;
  if (!endsOptimizerStep(plan, microStep)) return false;
  return Math.floor(microStep / interval) > Math.floor(lastEndBefore(plan, microStep) / interval);
}

/** The micro-step of the optimizer step's end before this one; 0: there is none. */
function lastEndBefore(plan: StepPlan, microStep: number): number {
  let end = microStep - 1;
  while (end > 0 && !endsOptimizerStep(plan, end)) end -= 1; // at most an accumulation long
  return end;
}
