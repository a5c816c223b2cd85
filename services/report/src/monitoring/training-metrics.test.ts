/** What Prometheus is told of training: while it goes on by name, when it is over no more, and nothing twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createMetrics } from "@pretrain/observability";
import { Experiment_Reason as Reason, Experiment_State as State } from "@pretrain/proto";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { beginning, ending, runEvents, state, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { TrainingMetrics } from "./training-metrics.ts";

const shape = runShape({ stepsPerEpoch: 12, saveInterval: 12 });

/** A ledger that holds `events`, and what is told of it from then on. */
function setUp(events: readonly LedgerEvent[]) {
  const ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  writer.append(events);
  const metrics = createMetrics("report");
  const training = new TrainingMetrics(ledger, metrics);
  metrics.beforeScrape(() => training.look());
  /** Samples by name and labels, without the service's. */
  const scrape = async () => {
    const { body } = await metrics.exposition();
    const lines = body.split("\n").filter((line) => line.startsWith("pretrain_") && !line.startsWith("pretrain_build"));
    const samples = lines.map((line) =>
      line
        .replace(/,service="report"|service="report",?/, "")
        .replace("{}", "")
        .split(" "),
    );
    return new Map(samples.map(([series = "", value]) => [series, Number(value)]));
  };
  return { writer, scrape };
}

test("a running experiment is shown by name: where it is, what was computed, how long it took", async () => {
  const { writer, scrape } = setUp(beginning(shape));
  await scrape();
  const steps = training(shape);
  writer.append(steps);
  writer.append(steps); // a second delivery changes nothing
  const told = await scrape();
  const stepMessages = steps.flatMap(({ kind, message }) => (kind === "step" ? [message] : []));
  const last = stepMessages.at(-1);
  assert.ok(last?.time !== undefined);
  const of = (name: string) => told.get(`${name}{experiment="1-4-0"}`);
  assert.equal(of("pretrain_train_steps_total"), 36);
  assert.equal(
    of("pretrain_train_tokens_total"),
    stepMessages.reduce((sum, { tokens }) => sum + Number(tokens), 0),
  );
  assert.equal(of("pretrain_train_loss"), last.lossNats / Number(last.lossTokens));
  assert.equal(of("pretrain_train_micro_steps"), 36);
  assert.equal(of("pretrain_train_planned_micro_steps"), 36);
  assert.equal(of("pretrain_train_running"), 1);
  assert.equal(of("pretrain_train_last_progress_timestamp_seconds"), timestampMs(last.time) / 1000);
  for (const phase of ["data", "forward_backward", "optimizer", "other", "total"])
    assert.equal(told.get(`pretrain_train_step_duration_seconds_count{phase="${phase}"}`), 36);
  const totalSeconds = stepMessages.reduce((sum, { times }) => sum + (times?.totalMs ?? 0), 0) / 1000;
  assert.ok(Math.abs((told.get('pretrain_train_step_duration_seconds_sum{phase="total"}') ?? 0) - totalSeconds) < 1e-9);
  assert.equal(told.get("pretrain_checkpoint_save_duration_seconds_count"), 3);
  assert.equal(of("pretrain_checkpoint_bytes"), checkpointBytes(steps));
});

test("of an experiment that has ended nothing is shown by name; a paused one is, and does not run", async () => {
  const { writer, scrape } = setUp(beginning(shape));
  await scrape();
  writer.append(training(shape));
  writer.append([state(shape, 4, shape.startMs + 100_000, State.PAUSED)]);
  const paused = await scrape();
  assert.equal(paused.get('pretrain_train_running{experiment="1-4-0"}'), 0);
  assert.equal(
    paused.get('pretrain_train_last_progress_timestamp_seconds{experiment="1-4-0"}'),
    (shape.startMs + 100_000) / 1000,
  );
  writer.append([state(shape, 5, shape.startMs + 110_000, State.CANCELLED)]);
  const ended = await scrape();
  assert.deepEqual(
    [...ended.keys()].filter((series) => series.includes("1-4-0")),
    [],
  );
  assert.equal(ended.get('pretrain_train_step_duration_seconds_count{phase="total"}'), 36, "what was counted stays");
});

test("after a restart its place is shown at once, and only what comes from then on is counted", async () => {
  const steps = training(shape);
  const { writer, scrape } = setUp([...beginning(shape), ...steps.slice(0, 20)]);
  const before = await scrape();
  assert.ok((before.get('pretrain_train_micro_steps{experiment="1-4-0"}') ?? 0) > 0);
  assert.equal(before.has('pretrain_train_steps_total{experiment="1-4-0"}'), false);
  writer.append(steps);
  const after = await scrape();
  const already = steps.slice(0, 20).filter(({ kind }) => kind === "step").length;
  assert.equal(after.get('pretrain_train_steps_total{experiment="1-4-0"}'), 36 - already);
});

test("a run that came whole between two looks is counted under no name; a lease that was lost is counted", async () => {
  const { writer, scrape } = setUp([]);
  writer.append([...beginning(shape), ...training(shape)]);
  const lost = state(shape, 4, shape.startMs + 100_000, State.INTERRUPTED);
  if (lost.kind === "state") lost.message.reason = Reason.LEASE_LOST;
  writer.append([lost, state(shape, 5, shape.startMs + 110_000, State.FAILED)]);
  const told = await scrape();
  assert.equal(told.get('pretrain_train_steps_total{experiment=""}'), 36);
  assert.equal(told.get("pretrain_lease_lost_total"), 1);
  assert.deepEqual(
    [...told.keys()].filter((series) => series.includes("1-4-0")),
    [],
  );
});

test("of many experiments the fifty that changed last are shown", async () => {
  const { writer, scrape } = setUp([]);
  for (let number = 1; number <= 60; number += 1)
    writer.append(beginning(runShape({ id: `run-${number}`, startMs: shape.startMs + 1000 * number })));
  const running = [...(await scrape()).keys()].filter((series) => series.startsWith("pretrain_train_running"));
  assert.equal(running.length, 50);
  assert.ok(running.includes('pretrain_train_running{experiment="run-60"}'));
  assert.ok(!running.includes('pretrain_train_running{experiment="run-10"}'));
});

test("an experiment that ended before the service started is not shown", async () => {
  const { scrape } = setUp([...runEvents(shape), ...ending(shape)]);
  assert.deepEqual(
    [...(await scrape()).keys()].filter((series) => series.includes("1-4-0")),
    [],
  );
});

function checkpointBytes(events: readonly LedgerEvent[]): number | undefined {
  const last = events.findLast(({ kind }) => kind === "checkpoint");
  if (last?.kind !== "checkpoint") return undefined;
  return last.message.checkpoint?.parts.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0);
}
