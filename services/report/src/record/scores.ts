/** What people's, rules' and models' points come to. Of each author and aspect the last one counts; nobody types a mean. */
import { create } from "@bufbuild/protobuf";
import { mean } from "@pretrain/measures";
import {
  type Annotation,
  type Score,
  type ScoreSummary,
  ScoreSummarySchema,
  Score_Subject as Subject,
} from "@pretrain/proto";
import { standing } from "./annotations.ts";

/** The mean of the points for aspects of the generated text is a metric that targets may name. */
export const qualityMetric = "eval/quality";

const subjects = [Subject.QUALITY, Subject.GOAL, Subject.SUCCESS, Subject.TRUST];

/** @param annotations oldest first */
export function scoreSummaries(annotations: readonly Annotation[]): ScoreSummary[] {
  const scores = lastScores(annotations);
  return subjects.flatMap((subject) => {
    const points = scores.filter((score) => score.subject === subject).map((score) => score.points);
    const average = mean(points);
    return average === undefined ? [] : [create(ScoreSummarySchema, { subject, count: points.length, mean: average })];
  });
}

function lastScores(annotations: readonly Annotation[]): Score[] {
  const byPlace = new Map<string, Score>();
  for (const { content, author, authorKind } of standing(annotations)) {
    if (content.case !== "score") continue;
    const { subject, aspect } = content.value;
    byPlace.set(JSON.stringify([subject, aspect, authorKind || 1, author]), content.value);
  }
  return [...byPlace.values()];
}
