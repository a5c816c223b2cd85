/** The canonical chain: equal ledgers have equal heads however they were filled, and anything else has another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLine_Level } from "@pretrain/proto";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { log, runEvents } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { canonicalChain, hexOf } from "./canonical-chain.ts";
import { canonicalEntries } from "./canonical-entries.ts";
import { addClaims } from "./claims.ts";
import { entryDigest, nextLink, noLink } from "./entry-digest.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { Ledger } from "./open-ledger.ts";

const shape = runShape({ stepsPerEpoch: 400, saveInterval: 400 }); // more than a page of steps;
const run = [
  ...runEvents(shape),
  ...["first content", "second content", "third content"].map((text, index) =>
    log(shape, 7, shape.startMs + index, LogLine_Level.INFO, text),
  ),
];

function withClaim(events: readonly LedgerEvent[]): Ledger {
  const ledger = ledgerOf(events);
  addClaims(ledger, [{ experiment: "1-4-0", attempt: 1, nonce: nonceOf(1), resumesFrom: 0 }]);
  return ledger;
}

const chain = canonicalChain(withClaim(run), "1-4-0");

test("it is the fold of docs/adr/0015 over all events and claims, those that were kept aside included", () => {
  using ledger = withClaim(run);
  const entries = [...canonicalEntries(ledger, "1-4-0", "payloads")];
  const head = entries.map(entryDigest).reduce(nextLink, noLink);
  assert.equal(chain.headSha256, hexOf(head));
  assert.equal(chain.events, BigInt(run.length + 1));
  const kinds = entries.map(({ kind }) => kind);
  assert.deepEqual([...new Set(kinds)], ["claim", ...[...new Set(kinds.slice(1))].toSorted()]);
  const texts = entries.filter(({ kind, number }) => kind === "log" && number === 7).map(({ payload }) => payload);
  assert.deepEqual(texts.slice(0, 2), texts.slice(0, 2).toSorted(), "by their texts");
  assert.match(texts[2] ?? "", /third content/, "the one that counts comes last");
});

test("the order of arrival makes no difference; an event more, less or otherwise does", () => {
  assert.deepEqual(canonicalChain(withClaim(run.toReversed()), "1-4-0"), chain);
  const others = [
    run.slice(1),
    run.filter((_, index) => index !== 200),
    [...run, log(shape, 8, shape.startMs, LogLine_Level.INFO, "one more")],
    run.map((event) =>
      event.kind === "log" && event.message.number === 1n
        ? log(shape, 1, shape.startMs, LogLine_Level.INFO, "other")
        : event,
    ),
  ];
  const heads = [...others.map(withClaim), ledgerOf(run)].map((ledger) => canonicalChain(ledger, "1-4-0").headSha256);
  assert.equal(new Set([...heads, chain.headSha256]).size, others.length + 2);
});

test("at most 256 marks lie at even distances, each the link behind the event that it names", () => {
  using ledger = withClaim(run);
  const entries = [...canonicalEntries(ledger, "1-4-0", "payloads")];
  assert.ok(chain.marks.length > 128 && chain.marks.length <= 256, `${chain.marks.length}`);
  const [first, second] = chain.marks;
  assert.equal(Number(second?.events), 2 * Number(first?.events));
  const upTo = entries.slice(0, Number(second?.events));
  assert.equal(second?.sha256, hexOf(upTo.map(entryDigest).reduce(nextLink, noLink)));
});

test("the announcement of a record is no part of what the record is computed from", () => {
  using ledger = withClaim(run);
  ledger.database.exec("UPDATE events SET kind = 'report' WHERE kind = 'log' AND number = 2");
  const without = run.filter((event) => !(event.kind === "log" && event.message.number === 2n));
  assert.deepEqual(canonicalChain(ledger, "1-4-0"), canonicalChain(withClaim(without), "1-4-0"));
});
