/** What is missing, in a sentence. */
import { type Gap, Gap_Kind as Kind } from "@pretrain/proto";
import { counted } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";

export function gapSentence(gap: Gap, { proof: { gaps: words } }: Phrases): string {
  const { kind, attempt, first, last, count, subject, detail } = gap;
  switch (kind) {
    case Kind.RECIPE:
      return words.recipe;
    case Kind.TRANSITION:
      return words.transition(String(first));
    case Kind.ATTEMPT:
      return words.attempt(String(first));
    case Kind.DATASET:
      return words.dataset;
    case Kind.MICRO_STEPS:
      return first === last ? words.microStep(counted(first)) : words.microSteps(counted(first), counted(last));
    case Kind.MORE_MICRO_STEPS:
      return words.moreMicroSteps(counted(count));
    case Kind.LAST_CHECKPOINT:
      return words.lastCheckpoint;
    case Kind.EVALUATION_OPEN:
      return words.evaluationOpen(counted(first));
    case Kind.EVALUATION_FAILED:
      return words.evaluationFailed(counted(first), subject);
    case Kind.EVALUATION_NOT_CERTIFIED:
      return words.evaluationNotCertified(counted(first), subject);
    case Kind.CORRECTED_EVALUATION:
      return words.corrected(subject, detail);
    case Kind.CONTRADICTION: {
      const identity = words.identity(String(attempt), counted(first));
      return words.contradiction(subject, detail === "" ? identity : `${identity}, ${detail}`);
    }
    case Kind.STRANGERS:
      return words.strangers(counted(count), String(attempt));
    case Kind.SUPERSEDED_ANNOTATION:
      return words.superseded(subject, detail);
    default:
      return words.unknown;
  }
}
