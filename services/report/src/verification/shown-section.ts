/** Which section of the record shows a field: found by putting another value into it and looking which section changes. */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Report, ReportSchema } from "@pretrain/proto";
import { documentOfReport } from "../rendering/document-of-report.ts";
import type { JsonDifference } from "./json-differences.ts";

/** Looks into the record that `computed` is the JSON of. */
export function sectionFinder(computed: JsonValue): (difference: JsonDifference) => string {
  const plain = sectionTexts(fromJson(ReportSchema, computed));
  return ({ path, recorded }) => {
    for (const value of [recorded, grossly(recorded)]) {
      const changed = textsWith(computed, path, value);
      const [id] = changed?.find(([section, text]) => plain.get(section) !== text) ?? [];
      if (id !== undefined) return id;
    }
    return "";
  };
}

/** A number rounds to the same text as one that is nearly it, so one that is far away is tried, too. */
function grossly(value: unknown): unknown {
  if (typeof value === "string" && /^-?\d+$/.test(value)) return String(2n * BigInt(value.slice(0, 15)) + 1000n);
  return typeof value === "number" ? 2 * value + 1000 : undefined;
}

/** Undefined when that is no record. */
function textsWith(
  computed: JsonValue,
  path: readonly (string | number)[],
  value: unknown,
): [string, string][] | undefined {
  try {
    return [...sectionTexts(fromJson(ReportSchema, replaced(computed, path, value) as JsonValue))];
  } catch {
    return undefined;
  }
}

function sectionTexts(report: Report): Map<string, string> {
  const { sections } = documentOfReport(report, "en");
  return new Map(sections.map((section) => [section.id, JSON.stringify(section, plainBigints)]));
}

function plainBigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function replaced(value: unknown, [step, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value)) {
    const list = value.map((each, index) => (index === step ? replaced(each, rest, by) : each));
    if (step === value.length) list.push(replaced(undefined, rest, by));
    return list.filter((each) => each !== undefined);
  }
  const fields = typeof value === "object" && value !== null ? value : {};
  return { ...fields, [step]: replaced((fields as Record<string | number, unknown>)[step], rest, by) };
}
