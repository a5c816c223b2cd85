/** Many streams at once: what they cost, and how many there may be. */
import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { until } from "@pretrain/testing";
import { EventWriter } from "../ledger/event-writer.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { CurrentReports } from "../reports/current-reports.ts";
import { beginning, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { LiveStreams, livePace } from "./live-streams.ts";

const shape = runShape();
const steps = training(shape);

/** What is written into an answer. */
function textOf(response: ServerResponse): readonly string[] {
  const texts: string[] = [];
  response.write = (text: string) => {
    texts.push(text);
    return true;
  };
  return texts;
}

test("what has come is read once for all who stand at the same place: five hundred streams ask the ledger no more than one", async (t) => {
  const asked = async (clients: number) => {
    using ledger = openLedger(":memory:");
    const writer = new EventWriter(ledger);
    writer.append([...beginning(shape), ...steps.slice(0, 30)]);
    using live = new LiveStreams({ ledger, reports: new CurrentReports(ledger, () => 0), ...livePace, paceMs: 1 });
    const responses = Array.from({ length: clients }, () => new ServerResponse(new IncomingMessage(new Socket())));
    const written = responses.map((response) => textOf(response));
    for (const response of responses) live.open(response.req, response, "1-4-0");
    writer.append(steps.slice(30, 33));
    const prepare = t.mock.method(ledger.database, "prepare");
    live.changed();
    await until(() => written.every((texts) => texts.join("").includes("event: overview")));
    for (const response of responses) response.destroy();
    return prepare.mock.callCount();
  };
  const one = await asked(1);
  assert.ok(one > 0);
  assert.equal(await asked(500), one);
});

test("more than 640 streams are refused with a time to come back", async (t) => {
  using ledger = openLedger(":memory:");
  using live = new LiveStreams({ ledger, reports: new CurrentReports(ledger, () => 0), ...livePace });
  const open = () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    t.after(() => response.destroy());
    live.open(response.req, response, undefined);
    return response;
  };
  const streams = Array.from({ length: 640 }, open);
  assert.ok(streams.every(({ statusCode }) => statusCode === 200));
  const refused = open();
  assert.deepEqual([refused.statusCode, refused.getHeader("retry-after")], [503, "30"]);
});
