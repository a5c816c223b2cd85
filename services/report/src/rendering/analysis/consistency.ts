/** Training and inference beside each other: how far apart, by which rule they agree, and what their numbers are worth. */
import type { Evaluation, Report } from "@pretrain/proto";
import { evaluationNumbers, ratio } from "../../record/evaluation-numbers.ts";
import { counted, loss, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";

/** @param evaluation the last one that counts */
export function consistencySentences(report: Report, evaluation: Evaluation, { analysis }: Phrases): string[] {
  const inference = evaluationNumbers(evaluation).inferenceLoss;
  const training = report.training?.lastLoss;
  if (inference === undefined) return [];
  return [
    ...(training === undefined ? [] : gapSentences(report, inference, training, analysis)),
    intervalSentence(evaluation, analysis),
    overlapSentence(evaluation, analysis),
  ];
}

function gapSentences(report: Report, inference: number, training: number, analysis: Phrases["analysis"]): string[] {
  const gap = Math.abs(training - inference);
  const bound = report.recipe?.evaluation?.consistentGap;
  const rule =
    bound === undefined
      ? []
      : [gap <= bound ? analysis.consistent(String(bound)) : analysis.inconsistent(String(bound))];
  return [analysis.gap(loss(inference), loss(training), loss(gap)), ...rule];
}

function intervalSentence(evaluation: Evaluation, analysis: Phrases["analysis"]): string {
  const { inferenceLoss, inferenceInterval: interval, settings } = evaluation;
  const [tokens, samples] = [counted(inferenceLoss?.tokens ?? 0n), counted(settings?.samples ?? 0)];
  return interval === undefined
    ? analysis.noInferenceInterval(tokens, samples)
    : analysis.inferenceInterval(loss(interval.low), loss(interval.high), tokens, samples);
}

function overlapSentence({ overlap }: Evaluation, analysis: Phrases["analysis"]): string {
  if (overlap === undefined) return analysis.noOverlap;
  const { overlappingRuns, validationRuns } = overlap;
  return analysis.overlap(
    counted(overlappingRuns),
    counted(validationRuns),
    percent(ratio(overlappingRuns, validationRuns)),
  );
}
