/** What a certificate says, in words. */
import { type Canary, Canary_Outcome, type Certificate, type Evaluation } from "@pretrain/proto";
import { counted, magnitude } from "./figures.ts";
import type { Phrases } from "./language/phrases.ts";
import type { Cell } from "./record-document.ts";

export function outcomeCell(outcome: Canary_Outcome, { evaluation: { certificates }, word }: Phrases): Cell {
  switch (outcome) {
    case Canary_Outcome.PASSED:
      return { text: certificates.holds, tone: "good" };
    case Canary_Outcome.FAILED:
      return { text: certificates.doesNotHold, tone: "bad" };
    case Canary_Outcome.NOT_APPLICABLE:
      return { text: certificates.saysNothing, tone: "quiet" };
    default:
      return { text: word.unknown, tone: "quiet" };
  }
}

/** `3.1e-6 nats`; a dash for a canary that says nothing. */
export function deviationText({ outcome, deviation, unit }: Canary): string {
  return outcome === Canary_Outcome.NOT_APPLICABLE ? "–" : `${magnitude(deviation)} ${unit}`.trim();
}

export function limitText({ limit, unit }: Canary): string {
  return `${magnitude(limit)} ${unit}`.trim();
}

/** `✓ 8 of 8 canaries hold`. */
export function certificateCell(certificate: Certificate, { evaluation }: Phrases): Cell {
  const words = evaluation.certificates;
  const said = certificate.canaries.filter(({ outcome }) => outcome !== Canary_Outcome.NOT_APPLICABLE);
  const passed = said.filter(({ outcome }) => outcome === Canary_Outcome.PASSED).length;
  const text = words.canariesHold(counted(passed), counted(said.length));
  return passed === said.length && passed > 0
    ? { text: `✓ ${text}`, tone: "good" }
    : { text: `✗ ${text}`, tone: "bad" };
}

/** Why there is no number: each canary that failed with what it found; the error where the certificate names none. */
export function refutation(
  { certificate, error }: Pick<Evaluation, "certificate" | "error">,
  { evaluation }: Phrases,
): string {
  const failed = (certificate?.canaries ?? []).filter(({ outcome }) => outcome === Canary_Outcome.FAILED);
  const found = failed.map((canary) =>
    evaluation.certificates.isOff(canary.name, deviationText(canary), limitText(canary), canary.evidence),
  );
  return found.length === 0 ? error : found.join("; ");
}
