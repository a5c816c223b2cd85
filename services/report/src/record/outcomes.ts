/** Predictions and hypotheses against what came out; both apart from the targets: a target can be met and a prediction missed. */
import { create } from "@bufbuild/protobuf";
import {
  type Hypothesis,
  type HypothesisOutcome,
  HypothesisOutcomeSchema,
  type Prediction,
  type PredictionOutcome,
  PredictionOutcomeSchema,
} from "@pretrain/proto";
import type { Judge } from "./indicators.ts";
import { present } from "./present.ts";
import { jointVerdict } from "./verdicts.ts";

export function predictionOutcome(prediction: Prediction, judge: Judge): PredictionOutcome {
  const outcome = judge.settledValue(prediction.metric);
  const hit = outcome === undefined ? undefined : isWithin(outcome, prediction);
  return create(PredictionOutcomeSchema, { prediction, ...present({ outcome, hit }) });
}

/** Both ends belong to the range; an end that is left out is none. */
function isWithin(value: number, { low, high }: Prediction): boolean {
  return value >= (low ?? Number.NEGATIVE_INFINITY) && value <= (high ?? Number.POSITIVE_INFINITY);
}

export function hypothesisOutcome(hypothesis: Hypothesis, judge: Judge): HypothesisOutcome {
  const evidence = hypothesis.confirmedWhen.map((rule) => judge.indicator(rule.metric, rule));
  const verdict = jointVerdict(evidence.map((indicator) => indicator.verdict));
  return create(HypothesisOutcomeSchema, { hypothesis, verdict, evidence });
}
