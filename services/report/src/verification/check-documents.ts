/** `documents`: every file of the record, byte for byte, against the same file rendered again. */
import type { Verification_Check } from "@pretrain/proto";
import type { RenderedRecord } from "../rendering/render-record.ts";
import { checked, type Found } from "./check.ts";

export function checkDocuments(
  recorded: ReadonlyMap<string, Uint8Array>,
  { json, documents }: RenderedRecord,
): Verification_Check {
  const rendered = [["report.json", json], ...Object.entries(documents)] as const;
  const found = rendered.flatMap(([name, text]) => difference(name, recorded.get(name), text));
  const bytes = rendered.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  return checked("documents", `${rendered.length} files of ${bytes} bytes rendered again`, found);
}

function difference(name: string, recorded: Uint8Array | undefined, text: string): Found[] {
  if (recorded === undefined) return [{ place: name, recorded: "is not there", computed: "is a file of the record" }];
  return textDifference(name, recorded, text);
}

/** The first line in which they differ. @param text as the file should be */
export function textDifference(name: string, recorded: Uint8Array, text: string): Found[] {
  const computed = Buffer.from(text);
  if (computed.equals(recorded)) return [];
  // As Latin-1 every byte is a character: what is no UTF-8 is placed all the same.
  const [is, should] = [recorded, computed].map((bytes) => Buffer.from(bytes).toString("latin1").split("\n"));
  const line = (should ?? []).findIndex((each, index) => each !== is?.[index]);
  const index = line < 0 ? (should?.length ?? 0) : line;
  const utf8 = (lines: string[] | undefined) => Buffer.from(lines?.[index] ?? "", "latin1").toString("utf8");
  const place = `${name}:${index + 1}`;
  return [{ place, section: sectionOf(name, should ?? [], index), recorded: utf8(is), computed: utf8(should) }];
}

/** Of an HTML document: the last section that began. Of the others it is not written in the file. */
function sectionOf(name: string, lines: readonly string[], index: number): string {
  if (!name.endsWith(".html")) return "";
  const begin = lines.slice(0, index + 1).findLast((line) => line.includes("<section id="));
  return /<section id="([^"]*)"/.exec(begin ?? "")?.[1] ?? "";
}
