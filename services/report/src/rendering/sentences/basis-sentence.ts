/** What a number was computed over, in words. */
import { type Basis, Basis_Over as Over } from "@pretrain/proto";
import { counted } from "../figures.ts";

export function basisSentence(basis: Basis | undefined): string {
  if (basis === undefined) return "";
  const at = basis.checkpointMicroStep;
  if (at === undefined) return over(basis);
  const checkpoint = `checkpoint of micro-step ${counted(at)}`;
  if (basis.over === Over.NOT_CERTIFIED) return `${checkpoint}: not certified`;
  return basis.over === Over.FAILED_EVALUATION
    ? `${checkpoint}: its evaluation failed`
    : `${over(basis)}, ${checkpoint}`;
}

function over(basis: Basis): string {
  const [tokens, count, step] = [counted(basis.tokens), counted(basis.count), counted(basis.microStep)];
  switch (basis.over) {
    case Over.MICRO_STEP:
      return `micro-step ${step}, ${tokens} targets`;
    case Over.EXP_OF_MICRO_STEP:
      return `exp of the loss of micro-step ${step}, ${tokens} targets`;
    case Over.MICRO_STEPS:
      return `${count} micro-steps`;
    case Over.TWO_MICRO_STEPS:
      return `micro-steps ${step} and ${counted(basis.secondMicroStep)}`;
    case Over.OPTIMIZER_STEPS:
      return `${count} optimizer steps`;
    case Over.OPTIMIZER_STEP:
      return `optimizer step of micro-step ${step}`;
    case Over.TRAINING_TIME:
      return "first step's begin to last step's end";
    case Over.MEMORY_SAMPLES:
      return `${count} samples, right after micro-steps; the operating system's own peak`;
    case Over.REAL_TOKENS:
      return `${tokens} real tokens of ${count} micro-steps`;
    case Over.TARGETS:
      return `${tokens} targets of ${count} rows`;
    case Over.SAMPLES:
      return `${tokens} targets of ${count} samples`;
    case Over.CONTINUATIONS:
      return `${tokens} tokens of ${count} continuations`;
    case Over.BYTES:
      return `${count} bytes`;
    case Over.CHARACTERS:
      return `${count} characters`;
    case Over.RUNS:
      return `${count} runs of ${tokens} tokens`;
    case Over.TWO_LOSSES:
      return `train/loss and eval/inference_loss, ${tokens} targets of ${count} samples`;
    case Over.ASPECTS:
      return `points for ${count} aspects`;
    default:
      return "not measured";
  }
}
