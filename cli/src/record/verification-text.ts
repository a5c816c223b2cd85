/** A verification for a terminal: a line for each check, and under it everything that differs. */
import { Verification_Check_Outcome as Outcome, type Verification, type Verification_Check } from "@pretrain/proto";
import { oneLine } from "../terminal/printable.ts";
import { cut, displayWidth, table } from "../terminal/table.ts";

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
    ...differingParts(recorded, computed),
    oneLine(section),
  ]);
  return `${name}:\n${table([["place", "recorded", "computed", "section"], ...rows])}`;
}

const shownBefore = 16;
const shownCells = 48;

/** Of two long lines the part in which they begin to differ. */
function differingParts(recorded: string, computed: string): [recorded: string, computed: string] {
  const [one, other] = [oneLine(recorded), oneLine(computed)];
  if (Math.max(displayWidth(one), displayWidth(other)) <= shownCells) return [one, other];
  let same = 0;
  while (same < one.length && one[same] === other[same]) same += 1;
  const from = Math.max(0, same - shownBefore);
  const part = (text: string) => cut(from === 0 ? text : `…${text.slice(from)}`, shownCells);
  return [part(one), part(other)];
}
