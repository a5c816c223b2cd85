/** ReadSteps: every step to its last bit, no more than is taken, and never two attempts mixed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Aborted, InvalidArgument, NotFound } from "@pretrain/errors";
import { ReadStepsRequestSchema, type StepMetric, StepMetricSchema } from "@pretrain/proto";
import { EventWriter } from "../ledger/event-writer.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { attempt, beginning } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { seededNoise } from "../test-support/seeded-noise.ts";
import { stepMetric } from "../test-support/step-events.ts";
import { readSteps } from "./read-steps.ts";

const shape = runShape({ epochs: 1, stepsPerEpoch: 1000, saveInterval: 1000 });
const noise = seededNoise(3);
const computed = (attemptNumber: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index).map((microStep) =>
    stepMetric(shape, { attempt: attemptNumber, microStep, endMs: shape.startMs + microStep * 800 }, noise),
  );
const eventsOf = (steps: readonly StepMetric[]) => steps.map((message) => ({ kind: "step", message }) as const);
const request = (fields: { fromMicroStep?: bigint; toMicroStep?: bigint; experiment?: string } = {}) =>
  create(ReadStepsRequestSchema, { experiment: "experiments/1-4-0", ...fields });

async function collected(...parameters: Parameters<ReturnType<typeof readSteps>>): Promise<StepMetric[]> {
  const steps: StepMetric[] = [];
  for await (const message of readSteps({ ledger })(...parameters)) steps.push(...message.steps);
  return steps;
}

const [first, second] = [computed(1, 1, 700), computed(2, 401, 900)];
const ledger = ledgerOf([
  ...beginning(shape),
  ...eventsOf(first),
  attempt(shape, 2, shape.startMs, 400),
  ...eventsOf(second),
]);
const accepted = [...first.slice(0, 400), ...second];
const bytes = (steps: readonly StepMetric[]) =>
  steps.map((step) => Buffer.from(toBinary(StepMetricSchema, step)).toString("hex"));

test("every accepted step comes once, in order, byte for byte as the trainer published it", async () => {
  assert.deepEqual(bytes(await collected(request())), bytes(accepted));
});

test("only the range that was asked for comes, both ends included; a range without steps is no message", async () => {
  assert.deepEqual(
    bytes(await collected(request({ fromMicroStep: 399n, toMicroStep: 402n }))),
    bytes(accepted.slice(398, 402)),
  );
  assert.deepEqual(await collected(request({ fromMicroStep: 901n })), []);
});

test("a range that ends before it begins, and an experiment that is not there, are refused by name", async () => {
  await assert.rejects(collected(request({ fromMicroStep: 9n, toMicroStep: 3n })), InvalidArgument);
  await assert.rejects(collected(request({ experiment: "experiments/9-9-9" })), NotFound);
});

test("no more is read than is taken: what comes into the ledger behind the first message is in the later ones", async () => {
  const ledger = ledgerOf([...beginning(shape), ...eventsOf(first.slice(0, 300))]);
  const stream = readSteps({ ledger })(request());
  assert.equal((await stream.next()).value?.steps.length, 256);
  new EventWriter(ledger).append(eventsOf(first.slice(300, 350)));
  assert.equal((await stream.next()).value?.steps.length, 94);
  assert.equal((await stream.next()).done, true);
});

test("when an attempt goes on from a step that was sent already, the stream ends with ABORTED and says from where on to read", async () => {
  const ledger = ledgerOf([...beginning(shape), ...eventsOf(first)]);
  const stream = readSteps({ ledger })(request());
  await stream.next();
  new EventWriter(ledger).append([attempt(shape, 2, shape.startMs, 200)]);
  await assert.rejects(stream.next(), (error) => error instanceof Aborted && /from 201 on/.test(error.message));
});

test("an attempt that goes on from a step that was not sent yet replaces what follows, in the same stream", async () => {
  const ledger = ledgerOf([...beginning(shape), ...eventsOf(first)]);
  const stream = readSteps({ ledger })(request());
  await stream.next();
  new EventWriter(ledger).append([attempt(shape, 2, shape.startMs, 400), ...eventsOf(second)]);
  const rest: StepMetric[] = [];
  for await (const message of stream) rest.push(...message.steps);
  assert.deepEqual(bytes(rest), bytes(accepted.slice(256)));
});
