/** Everything that is computed from the accepted micro-steps of a run. */
import { Epochs } from "./epochs.ts";
import { Gradients } from "./gradients.ts";
import type { Step } from "./history.ts";
import { LossCurve } from "./loss-curve.ts";
import { LossExtremes } from "./loss-extremes.ts";
import { LossTail } from "./loss-tail.ts";
import { MissingSteps } from "./missing-steps.ts";
import { readSteps, type StepReader } from "./step-reader.ts";
import { StepTimes } from "./step-times.ts";
import { WatchedSteps } from "./warnings/warnings.ts";

/** Enough for a curve as wide as a page, few enough to be written into report.json. */
const curvePoints = 600;
/** The "early metrics" of a record: as many steps as one profile sample covers by default. */
const firstSteps = 10;

export interface RunSteps {
  readonly ends: StepEnds;
  readonly losses: LossExtremes;
  readonly curve: LossCurve;
  readonly epochs: Epochs;
  readonly gradients: Gradients;
  readonly times: StepTimes;
  readonly firstTimes: StepTimes;
  readonly missing: MissingSteps;
  readonly tail: LossTail;
  readonly watched: WatchedSteps;
}

/** The first and the last micro-step there are, and how many. */
export class StepEnds implements StepReader {
  count = 0;
  first: Step | undefined;
  last: Step | undefined;

  read(step: Step): void {
    this.count += 1;
    this.first ??= step;
    this.last = step;
  }
}

/** @param before micro-steps of its parent that a fork goes on from; 0 of any other run */
export function runSteps(steps: Iterable<Step>, before = 0): RunSteps {
  const run = {
    ends: new StepEnds(),
    losses: new LossExtremes(),
    curve: new LossCurve(curvePoints),
    epochs: new Epochs(),
    gradients: new Gradients(),
    times: new StepTimes(),
    firstTimes: new StepTimes(firstSteps),
    missing: new MissingSteps(before),
    tail: new LossTail(),
    watched: new WatchedSteps(),
  };
  readSteps(steps, Object.values(run));
  return run;
}
