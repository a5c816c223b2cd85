/** What VerifyReport says: a record that holds is green; a changed digit anywhere is found, and named where it is. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Verification_Check_Outcome as Outcome, type Verification } from "@pretrain/proto";
import { entryDigest } from "../ledger/entry-digest.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { rowChecksum } from "../ledger/row-checksum.ts";
import { checkedColumns } from "../ledger/tables.ts";
import { beginning, runEvents, training } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { differencesOf, failedChecks, type WrittenRecord, writtenRecord } from "../test-support/written-record.ts";

const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
const run = runEvents(shape);
const third = `step/1/${nonceOf(1)}/3`;

test("a record as it was written is sound: every check says what it looked at", async (t) => {
  const { verify } = await writtenRecord(t, run);
  const found = await verify();
  assert.deepEqual(
    failedChecks(found),
    [],
    JSON.stringify(found.checks, (_, v) => (typeof v === "bigint" ? String(v) : v)),
  );
  assert.equal(found.sound, true);
  assert.equal(found.reportSha256, found.computedSha256);
});
