/** Why numbers cannot be compared, each reason once. */
import { type Incomparable, Incomparable_Kind as Kind } from "@pretrain/proto";
import type { ComparisonPhrases } from "./document-of-comparison.ts";

export function reasonTexts(reasons: readonly Incomparable[], texts: ComparisonPhrases): string[] {
  const written = reasons.map(({ kind, baseline, candidate }) =>
    texts.versus(whatDiffers(kind, texts), shortened(baseline), shortened(candidate)),
  );
  return [...new Set(written)];
}

/** Of a digest its beginning: it is to be told apart, not to be checked here. */
function shortened(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : value;
}

function whatDiffers(kind: Kind, texts: ComparisonPhrases): string {
  switch (kind) {
    case Kind.TOKENIZER:
      return texts.tokenizer;
    case Kind.VALIDATION_ROWS:
      return texts.validationRows;
    case Kind.RULE:
      return texts.rule;
    case Kind.CONTEXT:
      return texts.context;
    case Kind.TRAINING_DATA:
      return texts.trainingData;
    case Kind.NO_EVALUATION:
      return texts.noEvaluation;
    case Kind.SAMPLES:
      return texts.samples;
    default:
      return texts.machine;
  }
}
