/** The oracle finds what is planted: each fault in evidence that is otherwise whole, under its own heading. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Gap_Kind, GapSchema } from "@pretrain/proto";
import type { EventRow, Json } from "./event-rows.ts";
import type { Evidence } from "./evidence.ts";
import { findings } from "./findings.ts";

const row = (kind: string, identity: string, payload: Json): EventRow => ({
  kind,
  id: `${kind}/x/${identity}`,
  payload,
});

const state = (sequence: number, from: string, to: string, more: Record<string, Json> = {}) =>
  row("state", String(sequence), { sequence, from: `STATE_${from}`, to: `STATE_${to}`, ...more });

const attempt = (number: number, resumedFromMicroStep = "0") =>
  row("attempt", `${number}/n${number}`, { attempt: number, attemptNonce: `n${number}`, resumedFromMicroStep });

const step = (number: number, microStep: number, lossNats = microStep / 8) =>
  row("step", `${number}/n${number}/${microStep}`, {
    attempt: number,
    attemptNonce: `n${number}`,
    microStep: String(microStep),
    lossNats,
    rows: 8,
  });

const evaluation = (microStep: number, nats = 5, top1Accuracy = 0.25) =>
  row("evaluation", `evaluations/x-${microStep}`, {
    evaluation: {
      checkpoint: `experiments/x/checkpoints/${microStep}`,
      state: "STATE_SUCCEEDED",
      validationLoss: { nats },
      top1Accuracy,
    },
  });

const checkpoint = (microStep: number, isFinal: boolean, model = `m${microStep}`) => ({
  microStep,
  attempt: 1,
  isFinal,
  digests: { "model.safetensors": model, "optimizer.safetensors": `o${microStep}`, "state.json": "any" },
  faults: [],
});

function evidence(ledger: readonly EventRow[], more: Partial<Evidence> = {}): Evidence {
  return {
    experiment: "x",
    beginsAt: 0,
    ledger,
    contradictions: [],
    stream: ledger,
    acknowledged: ledger.map(({ id }) => id),
    checkpoints: [checkpoint(2, false), checkpoint(4, true)],
    nonces: new Map([
      [1, "n1"],
      [2, "n2"],
    ]),
    lateManifests: new Map(),
    listed: [2, 4],
    gaps: [],
    isRolledBack: false,
    damaged: new Set(),
    drained: new Set(),
    ...more,
  };
}

const undisturbed = [
  state(1, "UNSPECIFIED", "QUEUED"),
  state(2, "QUEUED", "PREPARING", { attempt: 1 }),
  state(3, "PREPARING", "RUNNING", { attempt: 1 }),
  state(4, "RUNNING", "COMPLETED", { attempt: 1 }),
  attempt(1),
  ...[1, 2, 3, 4].map((microStep) => step(1, microStep)),
  evaluation(2),
  evaluation(4),
];

/** Attempt 1 died behind step 3, attempt 2 went on from the checkpoint of 2. */
const disturbed = [
  ...undisturbed.slice(0, 3),
  state(4, "RUNNING", "INTERRUPTED", { attempt: 1, reason: "REASON_WORKER_LOST" }),
  state(5, "INTERRUPTED", "PREPARING", { attempt: 2 }),
  state(6, "PREPARING", "RUNNING", { attempt: 2 }),
  state(7, "RUNNING", "COMPLETED", { attempt: 2 }),
  attempt(1),
  attempt(2, "2"),
  ...[1, 2, 3].map((microStep) => step(1, microStep)),
  ...[3, 4].map((microStep) => step(2, microStep)),
  evaluation(2),
  evaluation(4),
];

const reference = evidence(undisturbed);
const nothing = { lost: [], doubled: [], unequal: [], broken: [] };

test("a run that was interrupted and went on is as good as one that was not", () => {
  assert.deepEqual(findings(reference, reference), nothing);
  assert.deepEqual(findings(evidence(disturbed), reference), nothing);
});

const without = (id: string) => disturbed.filter((each) => each.id !== id);
const instead = (changed: EventRow) => disturbed.map((each) => (each.id === changed.id ? changed : each));
const all = disturbed.map(({ id }) => id);

const gap = (said: MessageInitShape<typeof GapSchema>) => create(GapSchema, said);

for (const [claim, heading, found, expected] of [
  [
    "an acknowledged event that is not in the ledger is lost",
    "lost",
    evidence(without("state/x/7"), { stream: [], acknowledged: all }),
    /state\/x\/7 was acknowledged/,
  ],
  [
    "one that only the stream still has is lost, too",
    "lost",
    evidence(without("attempt/x/1/n1"), { acknowledged: [], stream: disturbed }),
    /attempt\/x\/1\/n1/,
  ],
  [
    "a micro-step that nobody's result counts for is lost",
    "lost",
    evidence(without("step/x/2/n2/4"), { acknowledged: [], stream: [] }),
    /micro-step 4 of x is missing/,
  ],
  [
    "a checkpoint without its evaluation is a lost evaluation",
    "lost",
    evidence(without("evaluation/x/evaluations/x-2"), { acknowledged: [], stream: [] }),
    /checkpoint 2 of x has no evaluation/,
  ],
  [
    "the same event twice in the ledger is doubled",
    "doubled",
    evidence([...disturbed, step(2, 4)]),
    /step\/x\/2\/n2\/4 is in the ledger more than once/,
  ],
  [
    "a micro-step that counts for two attempts is doubled",
    "doubled",
    evidence([
      ...disturbed,
      step(1, 2),
      row("step", "1/other/2", { attempt: 1, attemptNonce: "n1", microStep: "2", lossNats: 0.25, rows: 8 }),
    ]),
    /micro-step 2 of x counts/,
  ],
  [
    "two contents for one identity are doubled",
    "doubled",
    evidence(disturbed, { contradictions: ["state/0/4"] }),
    /claim to be state\/0\/4/,
  ],
  [
    "another loss is unequal, also of a step that does not count",
    "unequal",
    evidence(instead(step(1, 3, 9))),
    /micro-step 3 of x/,
  ],
  [
    "other weights are unequal",
    "unequal",
    evidence(disturbed, { checkpoints: [checkpoint(2, false, "other"), checkpoint(4, true)] }),
    /model.safetensors after micro-step 2/,
  ],
  [
    "no checkpoint at the end is unequal",
    "unequal",
    evidence(disturbed, { checkpoints: [checkpoint(2, false)], listed: [2] }),
    /no checkpoint at its end/,
  ],
  ["another evaluation is unequal", "unequal", evidence(instead(evaluation(4, 6))), /evaluation after micro-step 4/],
  [
    "the same loss with another accuracy is unequal",
    "unequal",
    evidence(instead(evaluation(4, 5, 0.26))),
    /evaluation after micro-step 4/,
  ],
  [
    "a state that may not follow is broken",
    "broken",
    evidence(instead(state(4, "QUEUED", "COMPLETED"))),
    /state\/x\/4 leads from QUEUED to COMPLETED, after RUNNING/,
  ],
  [
    "a history that does not end is broken",
    "broken",
    evidence(without("state/x/7"), { acknowledged: [], stream: [] }),
    /last known state is RUNNING/,
  ],
  [
    "a listed checkpoint that does not count is broken",
    "broken",
    evidence(disturbed, { listed: [2, 3, 4] }),
    /lists a checkpoint 3/,
  ],
  [
    "one that counts and is not listed is broken",
    "broken",
    evidence(disturbed, { listed: [4] }),
    /does not list its checkpoint 2/,
  ],
  [
    "a mark that no claim has is broken",
    "broken",
    evidence(disturbed, {
      nonces: new Map([
        [1, "n1"],
        [2, "another"],
      ]),
    }),
    /bears a mark that no claim has/,
  ],
  [
    "a second manifest by an attempt that was overtaken is broken",
    "broken",
    evidence(disturbed, { lateManifests: new Map([[1, ["a", "b"]]]) }),
    /attempt 1 of x wrote 2 manifests/,
  ],
  [
    "an attempt that was asked to end and just died is broken",
    "broken",
    evidence(disturbed, { drained: new Set([1]) }),
    /was asked to end and ended by REASON_WORKER_LOST/,
  ],
  [
    "not to know what an attempt ran on that has computed steps is broken",
    "broken",
    evidence(disturbed, { gaps: [gap({ kind: Gap_Kind.ATTEMPT, first: 2n })] }),
    /says: .*KIND_ATTEMPT.*"2"/,
  ],
  [
    "a gap in the record is broken",
    "broken",
    evidence(disturbed, { gaps: [gap({ kind: Gap_Kind.MICRO_STEPS, first: 3n, last: 3n })] }),
    /says: .*KIND_MICRO_STEPS.*"3"/,
  ],
] as const) {
  test(claim, () => {
    assert.ok(
      findings(found, reference)[heading].some((line) => expected.test(line)),
      findings(found, reference)[heading].join("\n"),
    );
  });
}

test("an attempt that died before it had said what it ran on leaves a gap in the record, and nothing is broken", () => {
  const gaps = [gap({ kind: Gap_Kind.ATTEMPT, first: 3n })];
  assert.deepEqual(findings(evidence(disturbed, { gaps }), reference), nothing);
});

test("a fork owes the steps behind the checkpoint that it goes on from, and no others", () => {
  const fork = undisturbed.filter(({ id }) => !/^(step.*\/[12]|evaluation.*-2)$/.test(id));
  const more = { checkpoints: [checkpoint(4, true)], listed: [4] };
  assert.deepEqual(findings(evidence(fork, { ...more, beginsAt: 2 }), reference), nothing);
  assert.deepEqual(findings(evidence(fork, { ...more, beginsAt: 1 }), reference).lost, [
    "micro-step 2 of x is missing",
  ]);
});

test("steps that were done when a worker was asked to end must be kept", () => {
  const asked = instead(state(4, "RUNNING", "INTERRUPTED", { attempt: 1, reason: "REASON_SHUTDOWN" }));
  const { broken } = findings(evidence(asked, { drained: new Set([1]) }), reference);
  assert.deepEqual(broken, ["attempt 1 of x had done 3 steps when it was asked to end; 2 were kept"]);
});
