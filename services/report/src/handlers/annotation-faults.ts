/** What is wrong with an annotation by itself, and with the numbers that it claims. */
import { toJsonString } from "@bufbuild/protobuf";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import { type Annotation, AnnotationSchema, type Report } from "@pretrain/proto";
import { experimentId, metricNamed } from "@pretrain/recipe";
import { KnownNumbers } from "../record/prose/known-numbers.ts";
import { recordNumbers } from "../record/prose/record-numbers.ts";
import { type Unsupported, unsupportedIn } from "../record/prose/unsupported-numbers.ts";

/** As a recipe: it travels as one message of the broker, whose limit is 1 MiB. */
const limitBytes = 256 * 1024;

/** @param path of the annotation in the request. @throws InvalidArgument naming all faults */
export function expectWhole(annotation: Annotation, path: string): void {
  const [first, ...rest] = faultsOf(annotation).map(({ field, description }) => {
    return { field: field === "" ? path : `${path}.${field}`, description };
  });
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
}

function faultsOf(annotation: Annotation): Violation[] {
  const { content, author } = annotation;
  const sizeBytes = Buffer.byteLength(toJsonString(AnnotationSchema, annotation));
  return [
    ...fault("author", author.trim() === "", "is blank; whoever writes something signs it"),
    ...fault("", content.case === undefined, "says nothing: finding, diagnosis, score or another content is expected"),
    ...fault("", sizeBytes > limitBytes, `is ${sizeBytes} bytes of JSON; the limit is ${limitBytes}`),
    ...contentFaults(content),
  ];
}

function contentFaults(content: Annotation["content"]): Violation[] {
  if (content.case === "finding" || content.case === "hypothesis") {
    const { metrics } = content.value;
    return metrics.flatMap((metric, index) =>
      fault(
        `${content.case}.metrics[${index}]`,
        metricNamed(metric) === undefined,
        `${metric} is no metric; docs/metrics.md has them all`,
      ),
    );
  }
  if (content.case === "score") {
    const needsAspect = content.value.subject === 1 && content.value.aspect.trim() === "";
    return fault("score.aspect", needsAspect, "is blank; points for quality are for an aspect, such as coherence");
  }
  if (content.case === "nextExperiment") {
    experimentId(content.value.experimentId, "annotation.next_experiment.experiment_id");
  }
  return [];
}

function fault(field: string, isWrong: boolean, description: string): Violation[] {
  return isWrong ? [{ field, description }] : [];
}

/** How many numbers one answer names. */
const maximumNamed = 20;

/** @throws InvalidArgument, UNSUPPORTED_NUMBER, naming each number that the record does not have, and the nearest */
export function expectOwnNumbers(annotation: Annotation, report: Report): void {
  if (annotation.allowUnsupportedNumbers) return;
  const [first, ...rest] = unsupportedIn(annotation, new KnownNumbers(recordNumbers(report))).slice(0, maximumNamed);
  if (first === undefined) return;
  const violations = [violationOf(first), ...rest.map(violationOf)] as const;
  const found = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  throw new InvalidArgument(violations, {
    reason: "UNSUPPORTED_NUMBER",
    message: `${found}; write the record's own numbers, put what is no claim in backticks, or set allow_unsupported_numbers, which marks them`,
    metadata: { number: first.number, nearest: first.nearest },
  });
}

function violationOf(unsupported: Unsupported): Violation {
  return { field: `annotation.${unsupported.field}`, description: descriptionOf(unsupported) };
}

function descriptionOf({ number, nearest }: Unsupported): string {
  return `${number} is no number of the record; ${nearest === "" ? "none is near" : `the nearest is ${nearest}`}`;
}
