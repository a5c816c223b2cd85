/** A certificate for a terminal: every canary with how far off it is, and how far it may be. */
import { type Canary, Canary_Outcome, type Certificate } from "@pretrain/proto";
import { table } from "./terminal/table.ts";

const words: Readonly<Record<Canary_Outcome, string>> = {
  [Canary_Outcome.UNSPECIFIED]: "",
  [Canary_Outcome.PASSED]: "✓ holds",
  [Canary_Outcome.FAILED]: "✗ fails",
  [Canary_Outcome.NOT_APPLICABLE]: "- says nothing here",
};

/** The table, what the failed ones found, and what it is a proof of. */
export function canaryTable({ canaries, shapes, device, precision, codeSha256, seconds }: Certificate): string {
  const rows = canaries.map(({ name, outcome, deviation, limit, unit }) => [
    name,
    words[outcome] ?? "",
    outcome === Canary_Outcome.NOT_APPLICABLE ? "" : shown(deviation),
    shown(limit),
    unit,
  ]);
  const found = canaries.filter(isFailed).map(({ name, claim, evidence }) => `${name}: ${claim}. Found: ${evidence}`);
  const about = `in ${shapes.join(", ")} (rows x positions), ${device}, ${precision}, ${seconds.toFixed(1)} s, code ${codeSha256.slice(0, 12)}`;
  return [table([["canary", "", "off by", "allowed", "unit"], ...rows]), ...found, about].join("\n");
}

/** Whether the code that scores and generates may be believed on this machine. */
export function holds({ canaries }: Certificate): boolean {
  return canaries.length > 0 && !canaries.some(isFailed);
}

function isFailed({ outcome }: Canary): boolean {
  return outcome === Canary_Outcome.FAILED;
}

function shown(value: number): string {
  return value === 0 || (value >= 0.01 && value < 1000) ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}
