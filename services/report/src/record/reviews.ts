/** The state of a review: who may say what after what, and whether an approval is still of this record. */
import { createHash } from "node:crypto";
import { create, toJsonString } from "@bufbuild/protobuf";
import {
  type Annotation,
  Gap_Kind,
  type Indicator,
  type Report,
  ReportSchema,
  type Review,
  Review_State as State,
} from "@pretrain/proto";
import { qualityMetric } from "./scores.ts";

/** UNSPECIFIED: nobody has asked for one. An approval can be asked for again, since a record can change behind it. */
const next: Readonly<Record<State, readonly State[]>> = {
  [State.UNSPECIFIED]: [State.REQUESTED],
  [State.REQUESTED]: [State.CHANGES_REQUESTED, State.APPROVED],
  [State.CHANGES_REQUESTED]: [State.REQUESTED],
  [State.APPROVED]: [State.REQUESTED],
};

/** What may be said of a review that stands so. */
export function reviewStatesAfter(state: State): readonly State[] {
  return next[state] ?? [];
}

export interface ReviewStanding {
  readonly state: State;
  /** The annotation that says so. Undefined: nobody has asked for a review. */
  readonly annotation: Annotation | undefined;
  /** True of an approval of a record whose measured part has changed since. */
  readonly isOutdated: boolean;
}

export function reviewStanding(report: Report): ReviewStanding {
  const reviews = report.annotations.flatMap((annotation) =>
    annotation.content.case === "review" ? [{ annotation, review: annotation.content.value }] : [],
  );
  const last = reviews.at(-1);
  if (last === undefined) return { state: State.UNSPECIFIED, annotation: undefined, isOutdated: false };
  const { annotation, review } = last;
  return { state: review.state, annotation, isOutdated: isOfAnother(review, report) };
}

function isOfAnother({ state, measuredSha256 }: Review, report: Report): boolean {
  return state === State.APPROVED && measuredSha256 !== measuredDigest(report);
}

/**
 * SHA-256, in hex, of everything in a record that follows from the run and not from what people wrote down later: without annotations,
 * points, marked numbers, the chain over all events, and the verdicts that rest on points.
 */
export function measuredDigest(report: Report): string {
  const measured = create(ReportSchema, {
    ...report,
    annotations: [],
    scores: [],
    unsupportedNumbers: [],
    gaps: report.gaps.filter(({ kind }) => kind !== Gap_Kind.SUPERSEDED_ANNOTATION),
    indicators: report.indicators.filter(isMeasured),
    predictions: report.predictions.filter(({ prediction }) => prediction?.metric !== qualityMetric),
    hypotheses: report.hypotheses.filter(({ evidence }) => evidence.every(isMeasured)),
  });
  delete measured.chain;
  return createHash("sha256").update(toJsonString(ReportSchema, measured), "utf8").digest("hex");
}

function isMeasured({ metric }: Indicator): boolean {
  return metric !== qualityMetric;
}
