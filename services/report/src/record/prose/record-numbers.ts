/** Every number that a record has, by its place, so that a sentence about it can be checked. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { isReflectList, isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { meanNatsPerToken } from "@pretrain/measures";
import { type Indicator, type PhaseEnded, type Report, ReportSchema } from "@pretrain/proto";
import { metricNamed } from "@pretrain/recipe";
import { standing } from "../annotations.ts";
import { changeSums, knownChanges } from "../changes.ts";
import { effectiveCorrections } from "../corrections.ts";
import { evaluationMetrics } from "../evaluation-measurements.ts";
import { evaluationNumbers, totalOf } from "../evaluation-numbers.ts";
import { secondsBetween } from "../moments.ts";
import { type NumberKind, numbersIn } from "./prose-numbers.ts";

export interface RecordNumber {
  /** A metric, or a path of report.json. */
  readonly name: string;
  readonly kind: NumberKind;
  /** In the base unit of its kind: shares of 1, seconds, bytes. */
  readonly value: number;
}

/** Metrics first: where two numbers are equal, the first name is the one that is told. */
export function recordNumbers(report: Report): RecordNumber[] {
  return [
    ...report.indicators.flatMap(ofIndicator),
    ...ofCorrections(report),
    ...ofEvaluations(report),
    ...ofAnnotations(report),
    ...(report.execution?.phases ?? []).flatMap(ofPhase),
    ...ofMessage(reflect(ReportSchema, report), ""),
  ];
}

function ofIndicator({ metric, final, best, interval, target }: Indicator): RecordNumber[] {
  const kind = kindOfUnit(metricNamed(metric)?.unit ?? "");
  const values = [final, best, interval?.low, interval?.high, target?.value, target?.excellent];
  return values.flatMap((value) => (value === undefined ? [] : [{ name: metric, kind, value }]));
}

function kindOfUnit(unit: string): NumberKind {
  if (unit === "ratio") return "ratio";
  return unit === "seconds" || unit === "bytes" ? unit : "plain";
}

/** The change is of the old value. */
function ofCorrections({ evaluations }: Report): RecordNumber[] {
  return effectiveCorrections(evaluations).flatMap(({ numbers }) =>
    numbers.flatMap(({ metric: name, before, after, changePercent }): RecordNumber[] => {
      if (before === undefined || after === undefined || changePercent === undefined) return [];
      return [
        { name, kind: "ratio", value: changePercent / 100 },
        { name, kind: kindOfUnit(metricNamed(name)?.unit ?? ""), value: after - before },
      ];
    }),
  );
}

function ofEvaluations({ evaluations }: Report): RecordNumber[] {
  return evaluations.flatMap((evaluation) => {
    const numbers = evaluationNumbers(evaluation);
    const whole = Object.entries(evaluationMetrics).flatMap(([name, { number }]): RecordNumber[] => {
      const value = numbers[number];
      return value === undefined ? [] : [{ name, kind: kindOfUnit(metricNamed(name)?.unit ?? ""), value }];
    });
    const samples = evaluation.samples.flatMap(({ loss }, index): RecordNumber[] => {
      const value = meanNatsPerToken(totalOf(loss));
      return value === undefined ? [] : [{ name: `${evaluation.name} sample ${index + 1}`, kind: "plain", value }];
    });
    return [...whole, ...samples];
  });
}

/** Points that were given, and the sums over the files of the change record. */
function ofAnnotations(report: Report): RecordNumber[] {
  const points = standing(report.annotations).flatMap(({ name, content }): RecordNumber[] =>
    content.case === "score" ? [{ name, kind: "plain", value: content.value.points }] : [],
  );
  const { files, addedLines, deletedLines } = changeSums(knownChanges(report)?.changes);
  const changed = { files, addedLines, deletedLines };
  const sums = Object.entries(changed).map(([name, value]) => ({ name, kind: "plain", value }) as const);
  return [...points, ...sums];
}

function ofPhase({ phase, startTime, endTime, note }: PhaseEnded): RecordNumber[] {
  const value = secondsBetween(startTime, endTime);
  const duration: RecordNumber[] = value === undefined ? [] : [{ name: `phase ${phase}`, kind: "seconds", value }];
  return [...duration, ...ofText(`phase ${phase}`, note)];
}

/** Left out: thinned and sorted copies of other numbers, which would make nearly every number one of the record; and other prose. */
const leftOut: ReadonlySet<string> = new Set([
  "loss_curve",
  "calibration",
  "loss_by_position",
  "loss_by_frequency",
  "certificate",
  "annotations",
  "unsupported_numbers",
  "chain",
  "log",
  "transitions",
  "gaps",
]);

/** Messages whose texts are a part of what was sealed, or describe the machine: the numbers in them are the record's. */
const describing: ReadonlySet<string> = new Set(["recipe", "environment"]);

function ofMessage(message: ReflectMessage, path: string, readsTexts = false): RecordNumber[] {
  return message.fields.flatMap((field) => {
    if (leftOut.has(field.name) || !message.isSet(field)) return [];
    const place = path === "" ? field.name : `${path}.${field.name}`;
    return ofValue(message.get(field), { field, place, readsTexts: readsTexts || describing.has(field.name) });
  });
}

interface Place {
  readonly field: DescField;
  readonly place: string;
  readonly readsTexts: boolean;
}

function ofValue(value: unknown, at: Place): RecordNumber[] {
  if (isReflectMessage(value)) return isTime(value.desc) ? [] : ofMessage(value, at.place, at.readsTexts);
  if (isReflectList(value)) {
    return [...value].flatMap((item, index) => ofValue(item, { ...at, place: `${at.place}[${index}]` }));
  }
  if (typeof value === "string") return at.readsTexts ? ofText(at.place, value) : [];
  return typeof value === "number" || typeof value === "bigint" ? [numberAt(at, Number(value))] : [];
}

function isTime({ typeName }: DescMessage): boolean {
  return typeName === "google.protobuf.Timestamp";
}

/** By the field's name, whose last word is its unit. */
function numberAt({ field, place }: Place, value: number): RecordNumber {
  if (field.name.endsWith("_seconds")) return { name: place, kind: "seconds", value };
  if (field.name.endsWith("_ms")) return { name: place, kind: "seconds", value: value / 1000 };
  if (/_bytes(_per_step)?$/.test(field.name)) return { name: place, kind: "bytes", value };
  const isShare = field.scalar === ScalarType.DOUBLE && /(^|_)(share|reduction|rate|ratio)(_|$)/.test(field.name);
  return { name: place, kind: isShare && field.name !== "learning_rate" ? "ratio" : "plain", value };
}

function ofText(name: string, text: string): RecordNumber[] {
  return numbersIn(text).flatMap(({ meanings }) =>
    meanings.map(({ kind, low, high }) => ({ name, kind, value: (low + high) / 2 })),
  );
}
