/**
 * Why a number of one experiment may not stand beside the same number of another one. Two losses per token mean the same only when a
 * token does; a speed says something about a recipe only on the same machine.
 */
import { create } from "@bufbuild/protobuf";
import {
  type DatasetReport,
  type Environment,
  type Evaluation,
  type Incomparable,
  IncomparableSchema,
  Incomparable_Kind as Kind,
  type Report,
  Split,
} from "@pretrain/proto";
import { standingEvaluation } from "./standing-evaluation.ts";

/** Of a pair, why each family of numbers cannot be compared; empty: it can. */
export interface Reasons {
  /** Losses and gradients of training. */
  readonly training: readonly Incomparable[];
  /** Numbers over every target of the validation split. */
  readonly evaluation: readonly Incomparable[];
  /** Numbers over the samples and their continuations. */
  readonly samples: readonly Incomparable[];
  /** Numbers per byte or character of the validation text, which do not depend on what a token is. */
  readonly text: readonly Incomparable[];
  /** Speed and memory. */
  readonly machine: readonly Incomparable[];
}

export function incomparable(baseline: Report, candidate: Report): Reasons {
  const evaluations = [standingEvaluation(baseline), standingEvaluation(candidate)] as const;
  const tokenizer = differing(Kind.TOKENIZER, baseline, candidate, ({ dataset }) => dataset?.tokenizerSha256);
  const trained = differing(Kind.TRAINING_DATA, baseline, candidate, ({ dataset }) => rowsOf(dataset, Split.TRAIN));
  const rows = differing(Kind.VALIDATION_ROWS, baseline, candidate, ({ dataset }) => rowsOf(dataset, Split.VALIDATION));
  const missing = withoutEvaluation(...evaluations);
  const measured = missing.length > 0 ? missing : rulesOf(...evaluations);
  const evaluation = [...tokenizer, ...rows, ...measured];
  return {
    training: [...tokenizer, ...trained],
    evaluation,
    samples: [...evaluation, ...differing(Kind.SAMPLES, ...evaluations, sampleSettings)],
    text: missing.length > 0 ? missing : differing(Kind.VALIDATION_ROWS, ...evaluations, textOf),
    machine: differing(Kind.MACHINE, baseline, candidate, ({ environment }) => machineOf(environment)),
  };
}

/** What differs, once, with both values. */
function differing<T>(kind: Kind, baseline: T, candidate: T, valueOf: (of: T) => string | undefined): Incomparable[] {
  const [one = "", other = ""] = [valueOf(baseline), valueOf(candidate)];
  return one === other ? [] : [create(IncomparableSchema, { kind, baseline: one, candidate: other })];
}

function withoutEvaluation(baseline: Evaluation | undefined, candidate: Evaluation | undefined): Incomparable[] {
  if (baseline !== undefined && candidate !== undefined) return [];
  const names = { baseline: baseline?.name ?? "", candidate: candidate?.name ?? "" };
  return [create(IncomparableSchema, { kind: Kind.NO_EVALUATION, ...names })];
}

function rulesOf(baseline: Evaluation | undefined, candidate: Evaluation | undefined): Incomparable[] {
  const ofContext = (of: Evaluation | undefined) => of && `${of.context}, stride ${of.settings?.stride ?? 0}`;
  return [
    ...differing(Kind.RULE, baseline, candidate, (of) => of?.markerRule),
    ...differing(Kind.CONTEXT, baseline, candidate, ofContext),
  ];
}

/** The ids of all rows of a split, by their digest. */
function rowsOf(dataset: DatasetReport | undefined, split: Split): string | undefined {
  return dataset?.splits.find((each) => each.split === split)?.paddedIdsSha256;
}

function sampleSettings(evaluation: Evaluation | undefined): string | undefined {
  const { samples, inputLength, predictLength } = evaluation?.settings ?? {};
  return evaluation && `${samples} samples of ${inputLength} + ${predictLength} tokens`;
}

/** Two tokenizers cut long rows at different places: the scored text is the same only when its counts are. */
function textOf(evaluation: Evaluation | undefined): string | undefined {
  return (
    evaluation &&
    `${evaluation.validationRows} rows, ${evaluation.validationBytes} bytes, ${evaluation.validationCharacters} characters`
  );
}

function machineOf(environment: Environment | undefined): string | undefined {
  if (environment === undefined) return undefined;
  const { device, cpu, cores, precision, intraOpThreads } = environment;
  return [device, cpu, `${cores} cores`, `${intraOpThreads} threads`, precision].join(", ");
}
