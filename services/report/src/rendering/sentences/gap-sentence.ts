/** What is missing, in a sentence. */
import { type Gap, Gap_Kind as Kind } from "@pretrain/proto";
import { counted } from "../figures.ts";

export function gapSentence(gap: Gap): string {
  const { kind, attempt, first, count, subject, detail } = gap;
  switch (kind) {
    case Kind.RECIPE:
      return "The first transition with the recipe is missing.";
    case Kind.TRANSITION:
      return `Transition ${first} is missing.`;
    case Kind.ATTEMPT:
      return `What attempt ${first} ran on is missing.`;
    case Kind.DATASET:
      return "The dataset's report is missing.";
    case Kind.MICRO_STEPS:
      return microSteps(gap);
    case Kind.MORE_MICRO_STEPS:
      return `${counted(count)} more micro-steps are missing.`;
    case Kind.LAST_CHECKPOINT:
      return "The checkpoint at the end of training is missing.";
    case Kind.EVALUATION_OPEN:
    case Kind.EVALUATION_FAILED:
    case Kind.EVALUATION_NOT_CERTIFIED:
      return `The evaluation of the checkpoint of micro-step ${counted(first)} ${evaluationEnd(gap)}`;
    case Kind.CORRECTED_EVALUATION:
      return `${subject}, which ${detail} corrects, is missing.`;
    case Kind.CONTRADICTION:
      return contradiction(gap);
    case Kind.STRANGERS:
      return `${count === 1n ? "1 event" : `${counted(count)} events`} of attempt ${attempt} carry another mark than the attempt that holds this number; they do not count.`;
    case Kind.SUPERSEDED_ANNOTATION:
      return `${subject}, which ${detail} supersedes, is missing.`;
    default:
      return "Something is missing.";
  }
}

function microSteps({ first, last }: Gap): string {
  return first === last
    ? `Micro-step ${counted(first)} is missing.`
    : `Micro-steps ${counted(first)} to ${counted(last)} are missing.`;
}

function evaluationEnd({ kind, subject }: Gap): string {
  if (kind === Kind.EVALUATION_OPEN) return "has not ended.";
  return kind === Kind.EVALUATION_FAILED ? `failed: ${subject}` : `was not certified: ${subject}`;
}

function contradiction({ subject, attempt, first, detail }: Gap): string {
  const identity = [`attempt ${attempt}`, `number ${counted(first)}`, ...(detail === "" ? [] : [detail])].join(", ");
  return `Two different events claim to be the same ${subject} (${identity}); the later one is shown.`;
}
