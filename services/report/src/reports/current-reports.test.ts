/** Records are built when they are needed, and not for every onlooker after every event of a long run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventWriter } from "../ledger/event-writer.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { beginning, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { CurrentReports } from "./current-reports.ts";

const shape = runShape();
const steps = training(shape);

/** A clock on which building takes `buildMs`: it is read before and after. */
function setUp(buildMs: number) {
  const ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  const clock = { nowMs: 0 };
  const reports = new CurrentReports(ledger, () => {
    clock.nowMs += buildMs / 2;
    return clock.nowMs;
  });
  const append = (count: number) => reports.changed(writer.append(steps.slice(0, count)).changed);
  writer.append(beginning(shape));
  return { reports, append, clock };
}

test("what is asked for as it stands now holds the last event, and is built once while nothing changes", () => {
  const { reports, append } = setUp(1000);
  append(5);
  const first = reports.current("1-4-0");
  assert.equal(first?.training?.microSteps, 5n);
  assert.equal(reports.current("1-4-0"), first);
  append(9);
  assert.equal(reports.current("1-4-0")?.training?.microSteps, 9n);
});

test("an onlooker of a long run waits twenty times as long as building takes, then sees all", () => {
  const { reports, append, clock } = setUp(1000);
  append(5);
  assert.equal(reports.recent("1-4-0")?.training?.microSteps, 5n);
  append(9);
  assert.equal(reports.recent("1-4-0")?.training?.microSteps, 5n);
  clock.nowMs += 20_000;
  assert.equal(reports.recent("1-4-0")?.training?.microSteps, 9n);
});

test("an onlooker of a short run always sees all", () => {
  const { reports, append } = setUp(2);
  append(5);
  reports.recent("1-4-0");
  append(9);
  assert.equal(reports.recent("1-4-0")?.training?.microSteps, 9n);
});

test("an experiment without events has no record", () => {
  assert.equal(setUp(1).reports.current("9-9-9"), undefined);
});
