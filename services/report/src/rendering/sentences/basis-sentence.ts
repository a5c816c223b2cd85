/** What a number was computed over, in words. */
import { type Basis, Basis_Over as Over } from "@pretrain/proto";
import { counted } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";

export function basisSentence(basis: Basis | undefined, { proof: { basis: words } }: Phrases): string {
  if (basis === undefined) return "";
  const at = basis.checkpointMicroStep;
  if (at === undefined) return over(basis, words);
  if (basis.over === Over.NOT_CERTIFIED) return words.notCertified(counted(at));
  return basis.over === Over.FAILED_EVALUATION
    ? words.failed(counted(at))
    : words.ofCheckpoint(over(basis, words), counted(at));
}

function over(basis: Basis, words: Phrases["proof"]["basis"]): string {
  const [tokens, count, step] = [counted(basis.tokens), counted(basis.count), counted(basis.microStep)];
  switch (basis.over) {
    case Over.MICRO_STEP:
      return words.microStep(step, tokens);
    case Over.EXP_OF_MICRO_STEP:
      return words.expOfMicroStep(step, tokens);
    case Over.MICRO_STEPS:
      return words.microSteps(count);
    case Over.TWO_MICRO_STEPS:
      return words.twoMicroSteps(step, counted(basis.secondMicroStep));
    case Over.OPTIMIZER_STEPS:
      return words.optimizerSteps(count);
    case Over.OPTIMIZER_STEP:
      return words.optimizerStep(step);
    case Over.TRAINING_TIME:
      return words.trainingTime;
    case Over.MEMORY_SAMPLES:
      return words.memorySamples(count);
    case Over.ALLOCATOR_SAMPLES:
      return words.allocatorSamples(count);
    case Over.REAL_TOKENS:
      return words.realTokens(tokens, count);
    case Over.TARGETS:
      return words.targets(tokens, count);
    case Over.SAMPLES:
      return words.samples(tokens, count);
    case Over.CONTINUATIONS:
      return words.continuations(tokens, count);
    case Over.BYTES:
      return words.bytes(count);
    case Over.CHARACTERS:
      return words.characters(count);
    case Over.RUNS:
      return words.runs(count, tokens);
    case Over.TWO_LOSSES:
      return words.twoLosses(tokens, count);
    case Over.ASPECTS:
      return words.aspects(count);
    default:
      return words.notMeasured;
  }
}
