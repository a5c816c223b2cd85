/** What several attempts say of one fact. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type Message } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { events } from "@pretrain/events";
import { DatasetReportSchema, DatasetSchema } from "@pretrain/proto";
import { AttemptEvents } from "./attempt-events.ts";

test("every attempt tells the packing of a dataset as the same event, however long after the first one it begins", () => {
  const dataset = create(DatasetSchema, { name: "datasets/rows", endTime: timestampFromMs(1_000) });
  const report = create(DatasetReportSchema, { dataset: "datasets/rows", manifestSha256: "d".repeat(64) });
  const said: Message[] = [];
  const outbox = { put: (_: unknown, message: Message) => void said.push(message) };
  for (const attempt of [1, 2]) {
    const identity = { id: "a", attempt, nonce: `nonce-${attempt}` };
    new AttemptEvents(identity, outbox, () => new Date(attempt * 3_600_000)).datasetPrepared({ dataset, report });
  }
  const [first, second] = said as Parameters<typeof events.dataset.messageId>[0][];
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(second, first);
  assert.equal(events.dataset.messageId(second), events.dataset.messageId(first));
  assert.equal(first.time?.seconds, 1n);
});
