/** What people, rules and models wrote down after the recipe was sealed, with what is to be said about each. */
import type { Annotation, Report, UnsupportedNumber } from "@pretrain/proto";
import { metricValue, moment } from "./figures.ts";
import type { Phrases } from "./language/phrases.ts";
import type { Cell, Statement } from "./record-document.ts";

type Case = NonNullable<Annotation["content"]["case"]>;
type Content<Name extends Case> = Extract<Annotation["content"], { case: Name }>["value"];

export interface Noted<Value> {
  readonly annotation: Annotation;
  readonly content: Value;
  /** Name of the annotation that has taken its place; empty: none has. */
  readonly supersededBy: string;
  /** Its numbers that are no numbers of the record, and which annotation took whose place. */
  readonly notes: (words: Phrases) => Cell[];
}

/** Those of one kind, oldest first; superseded ones are among them. */
export function annotationsOf<Name extends Case>(report: Report, kind: Name): Noted<Content<Name>>[] {
  return report.annotations.flatMap((annotation) => {
    const { content } = annotation;
    if (content.case !== kind) return [];
    const supersededBy = report.annotations.find(({ supersedes }) => supersedes === annotation.name)?.name ?? "";
    const unsupported = report.unsupportedNumbers.filter(({ place }) => isPlaceIn(place, annotation.name));
    const notes = (words: Phrases) => notesOf(annotation, supersededBy, unsupported, words);
    return [{ annotation, content: content.value as Content<Name>, supersededBy, notes }];
  });
}

/** The annotation, or a field of it. */
function isPlaceIn(place: string, name: string): boolean {
  return place === name || place.startsWith(`${name}/`) || place.startsWith(`${name}.`);
}

function notesOf(
  { supersedes }: Annotation,
  supersededBy: string,
  unsupported: readonly UnsupportedNumber[],
  { judgement }: Phrases,
): Cell[] {
  const said: Cell[] = [];
  if (supersededBy !== "") said.push({ text: judgement.supersededBy(supersededBy), tone: "quiet" });
  if (supersedes !== "") said.push({ text: judgement.supersedes(supersedes), tone: "quiet" });
  return [...said, ...unsupported.map((number): Cell => ({ text: unsupportedText(number, judgement), tone: "open" }))];
}

function unsupportedText({ text, nearest }: UnsupportedNumber, words: Phrases["judgement"]): string {
  return nearest === "" ? words.unsupported(text) : words.unsupportedNear(text, nearest);
}

/** `by 林岚 (person), 2025-07-31 04:10:00 UTC`. */
export function writtenBy({ author, authorKind, time }: Annotation, { judgement }: Phrases): Cell {
  return { text: judgement.by(author, judgement.authorKinds[authorKind] ?? "", moment(time)), tone: "quiet" };
}

/** The values that a statement rests on: `train/loss 2.4323, eval/inference_loss 2.2600`. */
export function evidenceText(report: Report, metrics: readonly string[], { judgement }: Phrases): Cell[] {
  if (metrics.length === 0) return [];
  const values = metrics.map((metric) => {
    const row = report.indicators.find((indicator) => indicator.metric === metric);
    return `${metric} ${metricValue(metric, row?.final)}`;
  });
  return [{ text: judgement.restsOn(values.join(", ")), tone: "quiet" }];
}

/** As an item of a list. */
export function statement(noted: Noted<unknown>, text: string, more: readonly Cell[], words: Phrases): Statement {
  return {
    words: text,
    struck: noted.supersededBy !== "",
    notes: [writtenBy(noted.annotation, words), ...more, ...noted.notes(words)],
  };
}
