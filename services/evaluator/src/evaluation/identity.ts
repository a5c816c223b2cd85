/** The name of an evaluation follows from what is measured and how, so that asking twice is asking for the same. */
import { createHash } from "node:crypto";
import type { CheckpointId } from "@pretrain/checkpoint";
import type { Correction, EvaluationSettings } from "@pretrain/proto";

const collection = "evaluations/";

/** What an evaluation measures, and how. */
export interface Subject {
  readonly checkpoint: CheckpointId;
  /** SHA-256, in hex, of the checkpoint's manifest. */
  readonly checkpointSha256: string;
  /** Undefined when nobody knows what the recipe says; then it is measured as the recipe says. */
  readonly settings: EvaluationSettings | undefined;
  readonly recipeSettings: EvaluationSettings | undefined;
  /** Set where it corrects another evaluation. */
  readonly supersedes?: Correction | undefined;
}

/**
 * The ids that the evaluation may have, the first one that is free or its own already:
 *
 *     {experiment}-{micro-step}                  measured as the recipe says
 *     {experiment}-{micro-step}-{8 hex digits}   of the settings, where they are others
 *     {experiment}-{micro-step}-{8 hex digits}   of settings and manifest, where the checkpoint was written anew since
 *
 * With a correction the digits are also of its words, so that the same correction asked for twice is made once.
 *
 * Experiment and micro-step are told apart by the last `-`; the digits begin with a letter, so no digest is read as a
 * micro-step.
 */
export function evaluationIds(subject: Subject): [string, string] {
  const { checkpoint, checkpointSha256, settings, recipeSettings, supersedes } = subject;
  const base = `${checkpoint.experiment}-${checkpoint.microStep}`;
  const text = settingsText(settings) + correctionText(supersedes);
  const first = text === settingsText(recipeSettings) ? base : `${base}-${eightDigits(text)}`;
  return [first, `${base}-${eightDigits(`${text} ${checkpointSha256}`)}`];
}

/** `evaluations/{id}`. */
export function evaluationName(id: string): string {
  return `${collection}${id}`;
}

/** The id in a name that the contract's pattern has let through. */
export function idOfEvaluationName(name: string): string {
  return name.slice(collection.length);
}

function settingsText(settings: EvaluationSettings | undefined): string {
  if (settings === undefined) return "";
  const { samples, inputLength, predictLength, batchRows, context, stride } = settings;
  const windows = { ...(context !== 0 && { context }), ...(stride !== 0 && { stride }) }; // so that names without them stay
  return JSON.stringify({ samples, inputLength, predictLength, batchRows, ...windows });
}

function correctionText(correction: Correction | undefined): string {
  if (correction === undefined) return "";
  const { evaluation, cause, fix, author } = correction;
  return ` ${JSON.stringify({ evaluation, cause, fix, author })}`;
}

/** Of a SHA-256, from its first letter on. */
function eightDigits(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return hex.slice(Math.min(hex.search(/[a-f]/), hex.length - 8)).slice(0, 8);
}
