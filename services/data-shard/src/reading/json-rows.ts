/**
 * JSONL: one JSON object with a string `text` on every line. A line that is not that is rejected and counted, and reading
 * goes on. The checks come in a fixed order, so that every line has one reason.
 */
import { duplicatesKey } from "./duplicate-keys.ts";
import type { Line } from "./lines.ts";
import {
  decoded,
  isBlank,
  type Rejection,
  type SourceRow,
  textWarnings,
  type Warning,
  withoutMarkers,
} from "./source-row.ts";

export async function* jsonRows(lines: AsyncIterable<Line>): AsyncGenerator<SourceRow> {
  for await (const line of lines) yield jsonRow(line);
}

/** The verdict on one line. */
export function jsonRow({ number: line, bytes, hadByteOrderMark }: Line): SourceRow {
  if (bytes === undefined) return { line, rejection: "ROW_TOO_LONG" };
  const json = decoded(bytes);
  if (json === undefined) return { line, rejection: "INVALID_UTF8" };
  const found = textOf(json);
  if ("rejection" in found) return { line, ...found };
  const warnings: Warning[] = hadByteOrderMark ? ["BOM_STRIPPED"] : [];
  if (duplicatesKey(json, "text")) warnings.push("DUPLICATE_KEY");
  warnings.push(...textWarnings(found.text));
  return { line, text: found.text, warnings, parts: 1 };
}

function textOf(json: string): { readonly text: string } | { readonly rejection: Rejection } {
  if (isBlank(json)) return { rejection: "BLANK_LINE" };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { rejection: "INVALID_JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { rejection: "NOT_AN_OBJECT" };
  if (!("text" in value) || !Object.hasOwn(value, "text")) return { rejection: "MISSING_TEXT" };
  const { text } = value;
  if (typeof text !== "string") return { rejection: "TEXT_NOT_A_STRING" };
  if (!text.isWellFormed()) return { rejection: "LONE_SURROGATE" };
  return isBlank(withoutMarkers(text)) ? { rejection: "EMPTY_TEXT" } : { text };
}
