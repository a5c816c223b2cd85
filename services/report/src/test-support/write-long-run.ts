/**
 * Fills the ledger of a report service that does not run with one experiment of many micro-steps:
 *
 *     node services/report/src/test-support/write-long-run.ts <folder of the state> <micro-steps>
 */
import { join } from "node:path";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { attempt, beginning } from "./run-events.ts";
import { runShape } from "./run-shape.ts";
import { seededNoise } from "./seeded-noise.ts";
import { stepEvents } from "./step-events.ts";

const [folder = "", count = ""] = process.argv.slice(2);
const steps = Number(count);
if (folder === "" || !Number.isInteger(steps) || steps < 1) {
  console.error("a folder and a number of micro-steps are expected");
  process.exit(2);
}

const batch = 5000;
const saveInterval = 4 * Math.ceil(steps / 4); // of whole optimizer steps
const shape = runShape({ id: "long", title: "long", epochs: 1, stepsPerEpoch: steps, saveInterval });
const noise = seededNoise(shape.seed);
using ledger = openLedger(join(folder, "ledger.sqlite"));
const writer = new EventWriter(ledger);
writer.append([...beginning(shape), attempt(shape, 1, shape.startMs, 0)]);
for (let from = 1; from <= steps; from += batch) {
  const events: LedgerEvent[] = [];
  for (let microStep = from; microStep < Math.min(from + batch, steps + 1); microStep += 1) {
    events.push(...stepEvents(shape, { attempt: 1, microStep, endMs: shape.startMs + microStep * 800 }, noise));
  }
  writer.append(events);
}
