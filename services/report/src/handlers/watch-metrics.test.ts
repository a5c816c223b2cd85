/** WatchMetrics for many at once: the ledger is read once for all who stand at the same place. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { WatchMetricsRequestSchema, type WatchMetricsResponse } from "@pretrain/proto";
import { ChangesSignal } from "../ledger/changes-signal.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { beginning, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { watchMetrics } from "./watch-metrics.ts";

const shape = runShape();
const steps = training(shape).filter(({ kind }) => kind === "step");
const request = create(WatchMetricsRequestSchema, { experiment: "experiments/1-4-0" });

/** How often the ledger is asked until each of so many watchers has got the next two steps. */
async function questions(t: TestContext, watchers: number): Promise<number> {
  using ledger = openLedger(":memory:");
  using changes = new ChangesSignal(1);
  const writer = new EventWriter(ledger);
  writer.append([...beginning(shape), ...steps.slice(0, 10)]);
  const watch = watchMetrics({ ledger, changes });
  const stop = new AbortController();
  const streams = Array.from({ length: watchers }, () => watch(request, stop));
  await Promise.all(streams.map((stream) => stream.next())); // where it begins
  const waiting = streams.map((stream) => stream.next());
  await new Promise(setImmediate);
  const asked = t.mock.method(ledger.database, "prepare");
  const before = asked.mock.callCount();
  writer.append(steps.slice(10, 12));
  const written = asked.mock.callCount();
  changes.changed();
  for (const { value } of await Promise.all(waiting)) {
    const received: WatchMetricsResponse = value;
    assert.deepEqual(
      received.steps.map(({ microStep }) => microStep),
      [11n, 12n],
    );
  }
  stop.abort();
  await Promise.all(streams.map((stream) => stream.return(undefined)));
  return asked.mock.callCount() - written + before;
}

test("five hundred watchers of one experiment ask the ledger no more than one does, and each gets every step", async (t) => {
  const one = await questions(t, 1);
  assert.ok(one > 0);
  assert.equal(await questions(t, 500), one);
});
