/**
 * AnnotateReport: something that is written down after the recipe was sealed. It is checked, named, published, and answered when the
 * ledger has it. Death before that leaves an event or none; the same request again leads to the same event either way.
 */
import { createHash } from "node:crypto";
import { clone, create, equals, toJsonString } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Caller } from "@pretrain/access";
import { AlreadyExists, FailedPrecondition, InvalidArgument, messageOf, Unavailable } from "@pretrain/errors";
import {
  type AnnotateReportRequest,
  type Annotation,
  Annotation_AuthorKind,
  AnnotationSchema,
  type Report,
  Report_Completeness,
  type Review,
  Review_State,
  Review_StateSchema,
} from "@pretrain/proto";
import { experimentName, idOfExperimentName } from "@pretrain/recipe";
import type { ChangesSignal } from "../ledger/changes-signal.ts";
import { readAnnotations } from "../ledger/read-history.ts";
import { measuredDigest, reviewStanding, reviewStatesAfter } from "../record/reviews.ts";
import { expectOwnNumbers, expectWhole } from "./annotation-faults.ts";
import { type Dependencies, unknownExperiment } from "./dependencies.ts";

export interface Annotating extends Dependencies {
  /** Resolves when the broker has it. */
  readonly annotate: (annotation: Annotation) => Promise<unknown>;
  readonly changes: Pick<ChangesSignal, "next">;
  readonly now: () => Date;
  /** How long broker and ledger may take together. */
  readonly annotateWithinMs: number;
}

/** Of one experiment: its record is computed and read whole, by everybody who opens it. */
const maximumAnnotations = 1000;
const maximumBytes = 2 ** 20;

export function annotateReport(dependencies: Annotating) {
  const { ledger, reports, now } = dependencies;
  const inTurn = oneAtATime();
  return (asked: AnnotateReportRequest, caller?: Caller): Promise<Annotation> => {
    const request = signed(asked, caller);
    const experiment = idOfExperimentName(request.experiment, "experiment");
    return inTurn(experiment, async () => {
      const report = reports.current(experiment);
      if (report === undefined) throw unknownExperiment(experiment);
      const annotation = named(request, experiment, now());
      const known = readAnnotations(ledger, experiment).find(({ name }) => name === annotation.name);
      if (known !== undefined) return expectSame(known, annotation);
      expectWhole(annotation, "annotation");
      expectRoom(report, annotation);
      expectSuperseding(annotation, report);
      expectReviewInOrder(annotation, report);
      expectOwnNumbers(annotation, report);
      return stored(dependencies, experiment, approved(annotation, report));
    });
  };
}

/** Who is known signs as that one, whatever was written there; what a rule or a model says is signed by it. */
function signed(request: AnnotateReportRequest, caller: Caller | undefined): AnnotateReportRequest {
  const { annotation } = request;
  const isOfAPerson = (annotation?.authorKind || Annotation_AuthorKind.PERSON) === Annotation_AuthorKind.PERSON;
  if (annotation === undefined || caller?.kind !== "person" || !isOfAPerson) return request;
  return { ...request, annotation: { ...annotation, author: caller.name } };
}

/** Calls for one experiment one after the other: each sees what the one before has added. */
function oneAtATime() {
  const last = new Map<string, Promise<unknown>>();
  return <T>(experiment: string, act: () => Promise<T>): Promise<T> => {
    const before = last.get(experiment) ?? Promise.resolve();
    const own = before.then(act, act);
    last.set(experiment, own);
    const forget = () => {
      if (last.get(experiment) === own) last.delete(experiment);
    };
    own.then(forget, forget);
    return own;
  };
}

/** What was given, without what only the service says, under a name that a repetition has too. */
function named({ annotation, requestId }: AnnotateReportRequest, experiment: string, now: Date): Annotation {
  const given = withoutOutput(annotation ?? create(AnnotationSchema));
  const second = Math.floor(now.getTime() / 1000);
  const identity = requestId === "" ? ["content", contentOf(given), second] : ["request", requestId];
  const id = createHash("sha256").update(JSON.stringify(identity), "utf8").digest("hex").slice(0, 16);
  return Object.assign(given, {
    name: `${experimentName(experiment)}/annotations/${id}`,
    experiment: experimentName(experiment),
    time: timestampFromDate(now),
    authorKind: given.authorKind || Annotation_AuthorKind.PERSON,
  });
}

function withoutOutput(annotation: Annotation): Annotation {
  const given = clone(AnnotationSchema, annotation);
  given.name = "";
  given.experiment = "";
  delete given.time;
  if (given.content.case === "review") given.content.value.measuredSha256 = "";
  return given;
}

function contentOf(annotation: Annotation): string {
  return toJsonString(AnnotationSchema, annotation);
}

/** The first answer again. @throws AlreadyExists when the request id was used for something else */
function expectSame(known: Annotation, asked: Annotation): Annotation {
  const unkind = (annotation: Annotation) => ({ ...withoutOutput(annotation), authorKind: annotation.authorKind || 1 });
  if (equals(AnnotationSchema, create(AnnotationSchema, unkind(known)), create(AnnotationSchema, unkind(asked))))
    return known;
  const message = `request_id was used for ${known.name}, which says something else; give every annotation a request_id of its own`;
  throw new AlreadyExists("REQUEST_ID_REUSED", message, { name: known.name });
}

function expectRoom({ annotations, name }: Report, annotation: Annotation): void {
  const sizeBytes = [...annotations, annotation].reduce((sum, each) => sum + Buffer.byteLength(contentOf(each)), 0);
  if (annotations.length < maximumAnnotations && sizeBytes <= maximumBytes) return;
  const limits = `${maximumAnnotations} annotations and ${maximumBytes} bytes of JSON`;
  const message = `${name} has ${annotations.length} annotations; with this one they were ${sizeBytes} bytes, and a record holds ${limits}`;
  throw new FailedPrecondition("TOO_MANY_ANNOTATIONS", message, { name, annotations: String(annotations.length) });
}

/** What is superseded is there, says the same kind of thing, and nothing has taken its place yet. */
function expectSuperseding({ supersedes, content }: Annotation, { annotations }: Report): void {
  if (supersedes === "") return;
  const superseded = annotations.find(({ name }) => name === supersedes);
  const later = annotations.find((each) => each.supersedes === supersedes);
  const fault = (description: string) => new InvalidArgument([{ field: "annotation.supersedes", description }]);
  if (superseded === undefined) throw fault(`${JSON.stringify(supersedes)} is no annotation of this experiment`);
  if (later !== undefined) throw fault(`${supersedes} is superseded by ${later.name} already; supersede that one`);
  if (superseded.content.case !== content.case) {
    throw fault(`${supersedes} is of kind ${superseded.content.case}, this one of kind ${content.case}`);
  }
}

function expectReviewInOrder({ content }: Annotation, report: Report): void {
  if (content.case !== "review") return;
  const { state } = content.value;
  const standing = reviewStanding(report).state;
  const accepted = reviewStatesAfter(standing);
  if (!accepted.includes(state)) {
    const message = `a review that stands at ${wordOf(standing)} cannot become ${wordOf(state)}; it can become ${accepted.map(wordOf).join(" or ")}`;
    throw new FailedPrecondition("REVIEW_STATE", message, { state: wordOf(standing), asked: wordOf(state) });
  }
  if (state !== Review_State.APPROVED || report.completeness === Report_Completeness.FINAL) return;
  const message = `${report.name} is not final: its numbers may still change; approve it when the experiment has ended`;
  throw new FailedPrecondition("REPORT_OPEN", message, { name: report.name });
}

function wordOf(state: Review["state"]): string {
  return state === Review_State.UNSPECIFIED ? "not asked for" : (Review_StateSchema.value[state]?.localName ?? "");
}

/** An approval says which record it is of. */
function approved(annotation: Annotation, report: Report): Annotation {
  const { content } = annotation;
  if (content.case === "review" && content.value.state === Review_State.APPROVED) {
    content.value.measuredSha256 = measuredDigest(report);
  }
  return annotation;
}

async function stored(dependencies: Annotating, experiment: string, annotation: Annotation): Promise<Annotation> {
  const { ledger, changes, annotate, annotateWithinMs } = dependencies;
  const tooLate = Promise.withResolvers<"too late">();
  const timer = setTimeout(() => tooLate.resolve("too late"), annotateWithinMs);
  const find = () => readAnnotations(ledger, experiment).find(({ name }) => name === annotation.name);
  try {
    if ((await Promise.race([annotate(annotation), tooLate.promise])) === "too late") throw unknown(annotation);
    for (;;) {
      const changed = changes.next; // asked for before looking
      const found = find();
      if (found !== undefined) return found;
      if ((await Promise.race([changed, tooLate.promise])) === "too late") throw unknown(annotation);
    }
  } catch (error) {
    throw error instanceof Unavailable && error.reason !== unknownReason ? unknown(annotation, error) : error;
  } finally {
    clearTimeout(timer);
  }
}

const unknownReason = "ANNOTATION_UNKNOWN";

function unknown({ name }: Annotation, cause?: Unavailable): Unavailable {
  const why = cause === undefined ? "the ledger does not have it in time" : messageOf(cause);
  const message = `${name}: ${why}; ask again with the same request_id, which never adds it twice`;
  return new Unavailable(unknownReason, message, { name }, { cause });
}
