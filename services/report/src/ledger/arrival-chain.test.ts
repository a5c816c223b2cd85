/** The chain of arrival: what came has a link, once, and whatever is taken away, added or changed afterwards is named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLine_Level } from "@pretrain/proto";
import { rewriteEvent } from "../test-support/forged-ledger.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { log, runEvents } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { addClaims } from "./claims.ts";
import { entryDigest, nextLink, noLink } from "./entry-digest.ts";
import { EventWriter } from "./event-writer.ts";
import { ledgerFault } from "./ledger-fault.ts";
import { type Ledger, openLedger } from "./open-ledger.ts";

const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
const run = runEvents(shape);
const claim = { experiment: "1-4-0", attempt: 1, nonce: nonceOf(1), resumesFrom: 0 };
/** Three contents of one identity, each later than the one before. */
const [early, first, second] = ["early", "first content", "second content"].flatMap((text, index) => [
  [log(shape, 7, shape.startMs + index, LogLine_Level.INFO, text)],
]);
assert.ok(early && first && second);

function links({ database }: Ledger): { events: string[]; heads: string[] } {
  const rows = database.prepare("SELECT event, hex(head) AS head FROM links ORDER BY experiment, ordinal").all();
  return { events: rows.map(({ event }) => String(event)), heads: rows.map(({ head }) => String(head)) };
}

test("the digest and the links are those of docs/adr/0015, computed here by another program", () => {
  // printf '5:1-4-0,5:state,1:0,0:,1:1,0:,2:{},' | sha256sum
  const digest = entryDigest({
    experiment: "1-4-0",
    kind: "state",
    attempt: 0,
    nonce: "",
    number: 1,
    detail: "",
    payload: "{}",
  });
  assert.equal(digest.toString("hex"), "8f19533df7ab4ed6336196e2e64f06450edd526758c1bf0c4fcbf317f33e794c");
  // ( head -c 32 /dev/zero; printf $digest | xxd -r -p ) | sha256sum
  assert.equal(
    nextLink(noLink, digest).toString("hex"),
    "e9817f9a7fe1e5b6787384be8862665c0808f860e75a89890659ae19586c2e1c",
  );
});

test("every event and claim has one link, in order of arrival; a repetition adds none, and what was replaced keeps its own", () => {
  using ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  const state = run.slice(0, 1);
  writer.append([...state, ...first]);
  addClaims(ledger, [claim]);
  addClaims(ledger, [claim]);
  writer.append([...second, ...first, ...state, ...early, ...early]);
  const line = `log/1/${nonceOf(1)}/7`;
  assert.deepEqual(links(ledger).events, ["state/1", line, `claim/1/${nonceOf(1)}`, line, line]);
  assert.equal(ledgerFault(ledger), undefined);
});

test("a batch that is undone leaves no link, and the chain goes on behind the last one that was kept", () => {
  using ledger = openLedger(":memory:");
  const writer = new EventWriter(ledger);
  writer.append(run.slice(0, 5));
  const before = links(ledger).heads;
  ledger.database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.kind = 'checkpoint' BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  assert.throws(() => writer.append(run));
  assert.deepEqual(links(ledger).heads, before);
  ledger.database.exec("DROP TRIGGER full");
  writer.append(run);
  assert.deepEqual(links(ledger).heads, links(ledgerOf(run)).heads);
});

const last = `SELECT MAX(ordinal) FROM links`;
for (const [what, damage, fault] of [
  [
    "an event that was taken away, with its step",
    "DELETE FROM events WHERE kind = 'step' AND number = 3; DELETE FROM steps WHERE micro_step = 3",
    /step\/1\/nonce-of-attempt-1\/3 of 1-4-0 was changed or taken away/,
  ],
  ["a claim that was taken away", "DELETE FROM claims", /claim\/1\/nonce-of-attempt-1 of 1-4-0/],
  [
    "a link that was taken away in the middle",
    "DELETE FROM links WHERE ordinal = 5",
    /the chain of 1-4-0 is broken at its link 6/,
  ],
  ["the last link that was taken away", `DELETE FROM links WHERE ordinal = (${last})`, /was added without a link/],
  [
    "two links that were exchanged",
    "UPDATE links SET ordinal = -ordinal WHERE ordinal IN (4, 5); UPDATE links SET ordinal = 9 + ordinal WHERE ordinal < 0",
    /broken at its link 4/,
  ],
  [
    "a digest that was changed",
    "UPDATE events SET digest = zeroblob(32) WHERE kind = 'step' AND number = 3",
    /step\/1\/nonce-of-attempt-1\/3 of 1-4-0/,
  ],
] as const) {
  test(`${what}: found at the start and named`, () => {
    using ledger = ledgerOf(run);
    addClaims(ledger, [claim]);
    assert.equal(ledgerFault(ledger), undefined);
    ledger.database.exec(damage);
    assert.match(ledgerFault(ledger) ?? "", fault);
  });
}

test("an event that was changed with its checksum and its digest is found by its link", () => {
  using ledger = ledgerOf(run);
  rewriteEvent(ledger, "kind = 'log' AND number = 1", (payload) => payload.replace("float32", "float64"));
  assert.match(ledgerFault(ledger) ?? "", /log\/1\/nonce-of-attempt-1\/1 of 1-4-0 was changed or taken away/);
});
