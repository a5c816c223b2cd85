/** `numbers`: every field of report.json as it was published, against the record that the ledger gives now. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { Verification_Check } from "@pretrain/proto";
import { checked, type Found, maximumDifferences } from "./check.ts";
import { jsonDifferences, pathText } from "./json-differences.ts";
import { sectionFinder } from "./shown-section.ts";

/** @param recorded the bytes of report.json  @param computed its text as it should be */
export function checkNumbers(recorded: Uint8Array, computed: string): Verification_Check {
  const should = JSON.parse(computed) as JsonValue;
  const is = parsed(recorded);
  if ("fault" in is) {
    return checked("numbers", "report.json cannot be read", [{ place: "report.json", recorded: is.fault }]);
  }
  const differences = jsonDifferences(is.value, should).take(maximumDifferences).toArray();
  const sectionOf = differences.length > 0 ? sectionFinder(should) : () => "";
  const found = differences.map((difference): Found => {
    const { path, recorded: written, computed: follows } = difference;
    const place = pathText(path) || "report.json";
    return { place, section: sectionOf(difference), recorded: shown(written), computed: shown(follows) };
  });
  return checked("numbers", `${leaves(should)} values of report.json computed again from the ledger`, found);
}

function parsed(bytes: Uint8Array): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch (error) {
    return { fault: String(error) };
  }
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "nested too deeply to be shown";
  }
}

function leaves(value: JsonValue): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + leaves(each), 0);
}
