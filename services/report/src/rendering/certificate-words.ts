/** What a certificate says, in words. */
import { type Canary, Canary_Outcome, type Certificate, type Evaluation } from "@pretrain/proto";
import { counted, magnitude } from "./figures.ts";
import type { Cell } from "./record-document.ts";

const outcomeCells: Readonly<Record<Canary_Outcome, Cell>> = {
  [Canary_Outcome.UNSPECIFIED]: { text: "unknown", tone: "quiet" },
  [Canary_Outcome.PASSED]: { text: "✓ holds", tone: "good" },
  [Canary_Outcome.FAILED]: { text: "✗ does not hold", tone: "bad" },
  [Canary_Outcome.NOT_APPLICABLE]: { text: "says nothing here", tone: "quiet" },
};

export function outcomeCell(outcome: Canary_Outcome): Cell {
  return outcomeCells[outcome] ?? "unknown";
}

/** `3.1e-6 nats`; a dash for a canary that says nothing. */
export function deviationText({ outcome, deviation, unit }: Canary): string {
  return outcome === Canary_Outcome.NOT_APPLICABLE ? "–" : `${magnitude(deviation)} ${unit}`.trim();
}

export function limitText({ limit, unit }: Canary): string {
  return `${magnitude(limit)} ${unit}`.trim();
}

/** `✓ 8 of 8 canaries hold`. */
export function certificateCell(certificate: Certificate | undefined): Cell {
  if (certificate === undefined) return { text: "! none", tone: "open" };
  const said = certificate.canaries.filter(({ outcome }) => outcome !== Canary_Outcome.NOT_APPLICABLE);
  const passed = said.filter(({ outcome }) => outcome === Canary_Outcome.PASSED).length;
  const text = `${counted(passed)} of ${counted(said.length)} canaries hold`;
  return passed === said.length && passed > 0
    ? { text: `✓ ${text}`, tone: "good" }
    : { text: `✗ ${text}`, tone: "bad" };
}

/** Why there is no number: each canary that failed with what it found; the error where the certificate names none. */
export function refutation({ certificate, error }: Pick<Evaluation, "certificate" | "error">): string {
  const failed = (certificate?.canaries ?? []).filter(({ outcome }) => outcome === Canary_Outcome.FAILED);
  const found = failed.map((canary) => {
    const { name, evidence } = canary;
    return `${name} is off by ${deviationText(canary)}, at most ${limitText(canary)} (${evidence})`;
  });
  return found.length === 0 ? error : found.join("; ");
}
