/** Numbers that people's later words claim, and that the record does not have. */
import { create } from "@bufbuild/protobuf";
import { type Annotation, type Report, type UnsupportedNumber, UnsupportedNumberSchema } from "@pretrain/proto";
import { KnownNumbers } from "./known-numbers.ts";
import { numbersIn } from "./prose-numbers.ts";
import { recordNumbers } from "./record-numbers.ts";

/** A text of an annotation whose numbers must be numbers of the record. */
export interface Prose {
  /** Path in the annotation, such as `finding.text`. */
  readonly field: string;
  readonly text: string;
}

/** What states how things are; what is to be done or is hoped for states nothing. */
export function proseOf({ content }: Annotation): Prose[] {
  switch (content.case) {
    case "finding":
      return [{ field: "finding.text", text: content.value.text }];
    case "conclusion":
      return [{ field: "conclusion.text", text: content.value.text }];
    case "diagnosis": {
      const { problem, symptom, cause, detail, solution } = content.value;
      return fields("diagnosis", { problem, symptom, cause, detail, solution });
    }
    case "hypothesis": {
      const { statement, result, evidence } = content.value;
      return fields("hypothesis", { statement, result, evidence });
    }
    default:
      return [];
  }
}

function fields(message: string, texts: Readonly<Record<string, string>>): Prose[] {
  return Object.entries(texts).map(([name, text]) => ({ field: `${message}.${name}`, text }));
}

export interface Unsupported extends Prose {
  /** As it is written. */
  readonly number: string;
  readonly nearest: string;
}

/** @param known numbers of the record as it is without this annotation */
export function unsupportedIn(annotation: Annotation, known: KnownNumbers): Unsupported[] {
  return proseOf(annotation).flatMap(({ field, text }) =>
    numbersIn(text)
      .filter((number) => !known.has(number))
      .map((number) => ({ field, text, number: number.text, nearest: known.nearest(number) })),
  );
}

/** Of every annotation, also of one that was right when it was written: the record may have changed since. */
export function unsupportedNumbers(report: Report): UnsupportedNumber[] {
  if (report.annotations.every((annotation) => proseOf(annotation).length === 0)) return [];
  const known = new KnownNumbers(recordNumbers(report));
  return report.annotations.flatMap((annotation) => {
    const found = new Map(unsupportedIn(annotation, known).map(({ number, nearest }) => [number, nearest]));
    return [...found].map(([text, nearest]) =>
      create(UnsupportedNumberSchema, { place: annotation.name, text, nearest }),
    );
  });
}
