/** What is wrong with an experiment, compared with one that nothing happened to. Pure: evidence in, sentences out. */
import { isDeepStrictEqual } from "node:util";
import { toJsonString } from "@bufbuild/protobuf";
import { GapSchema, Gap_Kind as Kind } from "@pretrain/proto";
import { at, type EventRow, type Json, numberAt, textAt } from "./event-rows.ts";
import type { Evidence } from "./evidence.ts";
import { illegalTransitions } from "./legal-states.ts";

export interface Findings {
  /** Acknowledged or stored, and not in the ledger. */
  readonly lost: readonly string[];
  /** More than once where once is the rule, or another event under the same name. */
  readonly doubled: readonly string[];
  /** Other bits than the reference's: losses, weights, moments, evaluations. */
  readonly unequal: readonly string[];
  /** Any other broken promise. */
  readonly broken: readonly string[];
}

/** All four are empty when the promise was kept. */
export function findings(evidence: Evidence, reference: Evidence): Findings {
  return {
    lost: [...unrecorded(evidence), ...missingSteps(evidence, reference), ...missingEvaluations(evidence)],
    doubled: [...repeated(evidence), ...contradicted(evidence)],
    unequal: [
      ...otherSteps(evidence, reference),
      ...otherParts(evidence, reference),
      ...otherEvaluations(evidence, reference),
    ],
    broken: [
      ...illegalTransitions(evidence),
      ...badDrains(evidence),
      ...badCheckpoints(evidence),
      ...badAttempts(evidence),
      ...gapsIn(evidence),
    ],
  };
}

const ofKind = (rows: readonly EventRow[], kind: string) => rows.filter((row) => row.kind === kind);

/** I1. */
function unrecorded({ ledger, stream, acknowledged }: Evidence): string[] {
  const recorded = new Set(ledger.map(({ id }) => id));
  const known = new Set([...acknowledged, ...stream.map(({ id }) => id)]);
  return [...known].filter((id) => !recorded.has(id)).map((id) => `${id} was acknowledged and is not in the ledger`);
}

/** I2, I4: of each micro-step exactly one attempt's result counts. */
function missingSteps(evidence: Evidence, reference: Evidence): string[] {
  const found = new Set(acceptedSteps(evidence).map(({ payload }) => numberAt(payload, "microStep")));
  return acceptedSteps(reference)
    .map(({ payload }) => numberAt(payload, "microStep"))
    .filter((microStep) => microStep > evidence.beginsAt && !found.has(microStep))
    .map((microStep) => `micro-step ${microStep} of ${evidence.experiment} is missing`);
}

function missingEvaluations({ ledger, checkpoints, damaged, experiment }: Evidence): string[] {
  const measured = new Set(
    ofKind(ledger, "evaluation")
      .filter(({ payload }) => textAt(payload, "evaluation.state") === "STATE_SUCCEEDED")
      .map(({ payload }) => Number(textAt(payload, "evaluation.checkpoint").split("/").at(-1))),
  );
  return checkpoints
    .filter(({ microStep }) => !measured.has(microStep) && !damaged.has(microStep))
    .map(({ microStep }) => `the checkpoint ${microStep} of ${experiment} has no evaluation`);
}

function repeated({ ledger, experiment, ...rest }: Evidence): string[] {
  const twice = [...Map.groupBy(ledger, ({ id }) => id)].filter(([, rows]) => rows.length > 1).map(([id]) => id);
  const steps = Map.groupBy(acceptedSteps({ ledger, experiment, ...rest }), ({ payload }) =>
    numberAt(payload, "microStep"),
  );
  const counted = [...steps].filter(([, rows]) => rows.length > 1);
  return [
    ...twice.map((id) => `${id} is in the ledger more than once`),
    ...counted.map(([microStep, rows]) => `micro-step ${microStep} of ${experiment} counts ${rows.length} times`),
  ];
}

/** A broker with an older disk has forgotten transitions, and their numbers are given again: shown, not hidden. */
function contradicted({ contradictions, experiment, isRolledBack }: Evidence): string[] {
  return contradictions
    .filter((id) => !id.startsWith("report/") && !(isRolledBack && id.startsWith("state/")))
    .map((id) => `two different events of ${experiment} claim to be ${id}`);
}

/** I6, of every attempt's steps and not only of those that count: the same micro-step is the same number. */
function otherSteps({ ledger, experiment }: Evidence, reference: Evidence): string[] {
  const expected = new Map(
    ofKind(reference.ledger, "step").map(({ payload }) => [numberAt(payload, "microStep"), computed(payload)]),
  );
  return ofKind(ledger, "step").flatMap(({ payload }) => {
    const microStep = numberAt(payload, "microStep");
    const wanted = expected.get(microStep);
    if (isDeepStrictEqual(computed(payload), wanted)) return [];
    return [
      `micro-step ${microStep} of ${experiment} is ${JSON.stringify(computed(payload))}, not ${JSON.stringify(wanted)}`,
    ];
  });
}

/** What a step's numbers are, without when and how long. Rows and tokens with it: each row is trained on once an epoch (I7). */
function computed(step: Json): Record<string, Json | undefined> {
  const names = [
    "microStep",
    "optimizerStep",
    "epoch",
    "lossNats",
    "lossTokens",
    "rows",
    "learningRate",
    "gradientNorm",
    "clipScale",
    "tokensSeen",
  ];
  return Object.fromEntries(names.map((name) => [name, at(step, name)]));
}

/** Weights and moments: of each checkpoint that both have, above all of the last. */
function otherParts({ checkpoints, experiment }: Evidence, reference: Evidence): string[] {
  const expected = new Map(reference.checkpoints.map((checkpoint) => [checkpoint.microStep, checkpoint]));
  const last = checkpoints.at(-1);
  const hasEnd = last?.isFinal === true && last.microStep === reference.checkpoints.at(-1)?.microStep;
  const differing = checkpoints.flatMap(({ microStep, digests }) => {
    const wanted = expected.get(microStep)?.digests;
    return ["model.safetensors", "optimizer.safetensors"]
      .filter((part) => wanted !== undefined && digests[part] !== wanted[part])
      .map((part) => `${part} after micro-step ${microStep} of ${experiment} has other bits`);
  });
  return hasEnd ? differing : [...differing, `${experiment} has no checkpoint at its end`];
}

function otherEvaluations({ ledger, experiment }: Evidence, reference: Evidence): string[] {
  const expected = new Map(
    ofKind(reference.ledger, "evaluation").map(({ payload }) => [measuredStep(payload), measured(payload)]),
  );
  return ofKind(ledger, "evaluation").flatMap(({ payload }) => {
    const wanted = expected.get(measuredStep(payload));
    const isComparable = wanted !== undefined && textAt(payload, "evaluation.state") === "STATE_SUCCEEDED";
    if (!isComparable || isDeepStrictEqual(measured(payload), wanted)) return [];
    return [`the evaluation after micro-step ${measuredStep(payload)} of ${experiment} has other numbers`];
  });
}

function measuredStep(evaluation: Json): string {
  return textAt(evaluation, "evaluation.checkpoint").split("/").at(-1) ?? "";
}

function measured(evaluation: Json): Record<string, Json | undefined> {
  const names = [
    "inferenceLoss",
    "inferenceInterval",
    "validationLoss",
    "validationInterval",
    "perplexity",
    "bitsPerByte",
    "bitsPerCharacter",
    "top1Accuracy",
    "calibration",
    "lossByPosition",
    "lossByFrequency",
    "overlap",
    "samples",
    "generation",
  ];
  return Object.fromEntries(names.map((name) => [name, at(evaluation, `evaluation.${name}`)]));
}

/** I3: whatever is listed loads, and whatever counts is listed. */
function badCheckpoints({ checkpoints, listed, damaged, experiment }: Evidence): string[] {
  const wrong = checkpoints.filter(({ microStep }) => !damaged.has(microStep));
  const stored = new Set(checkpoints.map(({ microStep }) => microStep));
  return [
    ...wrong.flatMap(({ faults }) => faults),
    ...listed
      .filter((step) => !stored.has(step))
      .map((step) => `${experiment} lists a checkpoint ${step} that does not count`),
    ...wrong
      .filter(({ microStep }) => !listed.includes(microStep))
      .map(({ microStep }) => `${experiment} does not list its checkpoint ${microStep}`),
  ];
}

/** A worker that is asked to end keeps every step that it has computed, and says that it was asked. */
function badDrains({ ledger, drained, experiment, isRolledBack }: Evidence): string[] {
  if (isRolledBack) return []; // transitions may have been forgotten
  const attempts = ofKind(ledger, "attempt");
  return [...drained].flatMap((attempt) => {
    const ends = ofKind(ledger, "state").filter(
      ({ payload }) => textAt(payload, "from") === "STATE_RUNNING" && numberAt(payload, "attempt") === attempt,
    );
    const reasons = ends.map(({ payload }) =>
      textAt(payload, "to") === "STATE_INTERRUPTED" ? textAt(payload, "reason") : "",
    );
    if (reasons.some((reason) => reason !== "" && reason !== "REASON_SHUTDOWN" && reason !== "REASON_PREEMPTED"))
      return [`attempt ${attempt} of ${experiment} was asked to end and ended by ${reasons.join()}`];
    const next = attempts.find(({ payload }) => numberAt(payload, "attempt") > attempt);
    const steps = ofKind(ledger, "step").filter(({ payload }) => numberAt(payload, "attempt") === attempt);
    const last = Math.max(...steps.map(({ payload }) => numberAt(payload, "microStep")));
    const from = next === undefined ? last : numberAt(next.payload, "resumedFromMicroStep");
    return from >= last
      ? []
      : [`attempt ${attempt} of ${experiment} had done ${last} steps when it was asked to end; ${from} were kept`];
  });
}

/** I4: an event names the nonce of the claim of its attempt, or it comes from nobody. */
function badAttempts({ ledger, nonces, lateManifests, experiment }: Evidence): string[] {
  const late = [...lateManifests].filter(([, files]) => files.length > 1);
  const foreign = ledger.filter(({ payload }) => {
    const nonce = textAt(payload, "attemptNonce");
    return nonce !== "" && nonces.get(numberAt(payload, "attempt")) !== nonce;
  });
  return [
    ...foreign.map(({ id }) => `${id} of ${experiment} bears a mark that no claim has`),
    ...late.map(
      ([attempt, files]) =>
        `attempt ${attempt} of ${experiment} wrote ${files.length} manifests after a later one had begun`,
    ),
  ];
}

const ofEvaluations: ReadonlySet<Kind> = new Set([
  Kind.EVALUATION_OPEN,
  Kind.EVALUATION_FAILED,
  Kind.EVALUATION_NOT_CERTIFIED,
]);

/**
 * What the record itself says is missing, the traces of an older disk and of damage set aside, and of attempts that died before
 * they could say what they ran on: they did nothing else either.
 */
function gapsIn({ gaps, ledger, isRolledBack, damaged, experiment }: Evidence): string[] {
  const working = new Set(ofKind(ledger, "step").map(({ payload }) => numberAt(payload, "attempt")));
  return gaps
    .filter(({ kind, first }) => kind !== Kind.ATTEMPT || working.has(Number(first)))
    .filter(({ kind, subject }) => !(isRolledBack && kind === Kind.CONTRADICTION && subject === "state"))
    .filter(({ kind }) => !(damaged.size > 0 && ofEvaluations.has(kind)))
    .map((gap) => `the record of ${experiment} says: ${toJsonString(GapSchema, gap)}`);
}

/** Steps that no later attempt went back behind; of one micro-step the latest attempt's. */
function acceptedSteps({ ledger }: Evidence): EventRow[] {
  const attempts = ofKind(ledger, "attempt").map(({ payload }) => ({
    attempt: numberAt(payload, "attempt"),
    from: numberAt(payload, "resumedFromMicroStep"),
  }));
  return ofKind(ledger, "step").filter(({ payload }) => {
    const [attempt, microStep] = [numberAt(payload, "attempt"), numberAt(payload, "microStep")];
    return !attempts.some((later) => later.attempt > attempt && later.from < microStep);
  });
}
