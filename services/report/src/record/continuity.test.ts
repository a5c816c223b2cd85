/** What interruptions cost, told by the ledger itself: micro-steps that two attempts computed, and whether to the same bit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Experiment_State } from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { historyOf } from "../test-support/ledger-of.ts";
import { attempt, runEvents, state } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { buildReport } from "./build-report.ts";

const shape = runShape();
const all = runEvents();

/** The steps `from` to `to` as another attempt computed them: the same sums, but for `changed`, off by the last bit. */
function again(attemptNumber: number, from: number, to: number, changed: readonly number[] = []): LedgerEvent[] {
  return all.flatMap((event): LedgerEvent[] => {
    if (event.kind !== "step") return [];
    const { microStep, lossNats } = event.message;
    if (microStep < from || microStep > to) return [];
    const isChanged = changed.includes(Number(microStep));
    const other = { attempt: attemptNumber, attemptNonce: nonceOf(attemptNumber) };
    const sum = isChanged ? lossNats * (1 + Number.EPSILON) : lossNats;
    return [{ kind: "step", message: { ...event.message, ...other, lossNats: sum } }];
  });
}

function continuityOf(events: readonly LedgerEvent[]) {
  const { continuity } = buildReport(historyOf(events));
  assert.ok(continuity);
  const { attempts, interruptions, repeatedMicroSteps, equalRepetitions, unequalRepetitions, missingMicroSteps } =
    continuity;
  return [attempts, interruptions, repeatedMicroSteps, equalRepetitions, unequalRepetitions, missingMicroSteps];
}

test("a run that nothing interrupted is one attempt, and nothing was computed twice", () => {
  assert.deepEqual(continuityOf(all), [1, 0, 0n, 0n, 0n, 0n]);
});

test("an attempt that goes on from 40 after 60 repeats twenty micro-steps; one differs in its last bit and is told", () => {
  const until60 = all.filter((event) => event.kind !== "step" || event.message.microStep <= 60n);
  const second = [attempt(shape, 2, shape.startMs + 90_000, 40), ...again(2, 41, 120)];
  assert.deepEqual(continuityOf([...until60, ...second]), [2, 1, 20n, 20n, 0n, 0n]);
  const oneBit = [attempt(shape, 2, shape.startMs + 90_000, 40), ...again(2, 41, 120, [47])];
  assert.deepEqual(continuityOf([...until60, ...oneBit]), [2, 1, 20n, 19n, 1n, 0n]);
});

test("a micro-step that three attempts computed is one repetition, equal only when all three agree", () => {
  const second = [attempt(shape, 2, shape.startMs + 90_000, 40), ...again(2, 41, 80, [50])];
  const third = [attempt(shape, 3, shape.startMs + 95_000, 40), ...again(3, 41, 120)];
  assert.deepEqual(continuityOf([...all, ...second, ...third]), [3, 2, 80n, 79n, 1n, 0n]);
});

test("what is missing of a completed run is counted to its end; an attempt that waits counts as interrupted", () => {
  const isMissing = (event: LedgerEvent) => event.kind === "step" && [50n, 51n, 120n].includes(event.message.microStep);
  assert.deepEqual(continuityOf(all.filter((event) => !isMissing(event))), [1, 0, 0n, 0n, 0n, 3n]);
  const running = all.filter((event) => event.kind !== "state" || event.message.to !== Experiment_State.COMPLETED);
  const interrupted = [...running, state(shape, 4, shape.startMs + 80_000, Experiment_State.INTERRUPTED)];
  assert.deepEqual(continuityOf(interrupted), [1, 1, 0n, 0n, 0n, 0n]);
});
