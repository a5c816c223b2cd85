/** A verification for a terminal: a line for each check, and under it everything that differs. */
import { Verification_Check_Outcome as Outcome, type Verification, type Verification_Check } from "@pretrain/proto";
import { oneLine } from "../terminal/printable.ts";
import { table } from "../terminal/table.ts";

const marks: Readonly<Record<Outcome, string>> = {
  [Outcome.UNSPECIFIED]: "?",
  [Outcome.PASSED]: "✓",
  [Outcome.FAILED]: "✗",
  [Outcome.SKIPPED]: "-",
};

export function verificationText({ name, sound, checks, reportSha256, computedSha256 }: Verification): string {
  const lines = table(checks.map((check) => [marks[check.outcome] ?? "?", check.name, oneLine(check.evidence)]));
  const differences = checks.filter(({ differences: found }) => found.length > 0).map(differencesText);
  const digests =
    reportSha256 === computedSha256
      ? `report.json ${reportSha256}`
      : `report.json ${reportSha256 || "(none)"}, computed ${computedSha256 || "(none)"}`;
  const verdict = sound ? `${name} is sound` : `${name} is NOT sound`;
  return [lines, ...differences, `${verdict}\n${digests}`].join("\n\n");
}

function differencesText({ name, differences }: Verification_Check): string {
  const rows = differences.map(({ place, section, recorded, computed }) => [
    oneLine(place),
    oneLine(recorded),
    oneLine(computed),
    oneLine(section),
  ]);
  return `${name}:\n${table([["place", "recorded", "computed", "section"], ...rows])}`;
}
