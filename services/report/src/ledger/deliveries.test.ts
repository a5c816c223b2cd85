/**
 * Nothing depends on the order or the number of deliveries: 2,000 events of a run with three attempts, a claim that was never
 * granted and repetitions with another content, in any order, one to five times each. `PRETRAIN_PERMUTATIONS` sets how many
 * deliveries are tried.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLine_Level } from "@pretrain/proto";
import fc from "fast-check";
import { buildReport } from "../record/build-report.ts";
import { recordJson } from "../rendering/render-record.ts";
import { contentOf, digestOf, ledgerOf } from "../test-support/ledger-of.ts";
import { attempt, log, runEvents } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { stepEvents } from "../test-support/step-events.ts";
import { canonicalChain } from "./canonical-chain.ts";
import { addClaims } from "./claims.ts";
import { EventWriter } from "./event-writer.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import { type Ledger, openLedger } from "./open-ledger.ts";
import { readHistory } from "./read-history.ts";

const permutations = Number(process.env["PRETRAIN_PERMUTATIONS"] ?? 60);
const shape = runShape({ epochs: 3, stepsPerEpoch: 460, saveInterval: 92 });

/** The steps that an attempt computed, at a time of its own. */
function stepsOf(attemptNumber: number, from: number, to: number, noise = 0.5): LedgerEvent[] {
  const startMs = shape.startMs + attemptNumber * 10_000_000;
  return Array.from({ length: to - from }, (_, index) => from + index + 1).flatMap((microStep) =>
    stepEvents(shape, { attempt: attemptNumber, microStep, endMs: startMs + microStep * 800 }, () => noise),
  );
}

/** The same events under a mark that no claim has. */
function unclaimed(events: readonly LedgerEvent[]): LedgerEvent[] {
  return events.map(
    (event) => ({ ...event, message: { ...event.message, attemptNonce: "0-never-granted" } }) as LedgerEvent,
  );
}

const history: LedgerEvent[] = [
  ...runEvents(shape),
  attempt(shape, 2, shape.startMs + 20_000_000, 400),
  ...stepsOf(2, 400, 500),
  attempt(shape, 3, shape.startMs + 30_000_000, 440),
  ...stepsOf(3, 440, 560),
  ...unclaimed(stepsOf(3, 440, 460, 0.1)),
  log(shape, 7, shape.startMs, LogLine_Level.INFO, "first content"),
  log(shape, 7, shape.startMs + 5, LogLine_Level.INFO, "second content"),
  log(shape, 7, shape.startMs + 5, LogLine_Level.INFO, "third content"),
  ...stepsOf(3, 450, 460, 0.9), // other losses for steps that are there
];

const claims = [0, 400, 440].map((resumesFrom, index) => ({
  experiment: "1-4-0",
  attempt: index + 1,
  nonce: nonceOf(index + 1),
  resumesFrom,
}));

function recordOf(ledger: Ledger): string {
  const found = readHistory(ledger, "1-4-0");
  assert.ok(found);
  return recordJson(buildReport(found));
}

/** Each event once, every fourth two to five times, all of them shuffled: a pure function of the seed. */
function delivery(seed: number): LedgerEvent[] {
  const random = xorshift(seed);
  const copies = () => (random() % 4 === 0 ? 2 + (random() % 4) : 1);
  const delivered = history.flatMap((event) => Array<LedgerEvent>(copies()).fill(event));
  for (let last = delivered.length - 1; last > 0; last -= 1) {
    const other = random() % (last + 1);
    const [a, b] = [delivered[last], delivered[other]];
    if (a !== undefined && b !== undefined) [delivered[last], delivered[other]] = [b, a];
  }
  return delivered;
}

function xorshift(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
}

test(`${permutations} deliveries of 2,000 events in any order, one to five copies each: one ledger, one record, one head of its chain`, () => {
  assert.ok(history.length >= 2000, `${history.length}`);
  const expected = ledgerOf(history);
  addClaims(expected, claims);
  const [digest, record] = [digestOf(expected), recordOf(expected)];
  const { headSha256 } = canonicalChain(expected, "1-4-0");
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 500 }), (seed, batch) => {
      using ledger = openLedger(":memory:");
      const writer = new EventWriter(ledger);
      const delivered = delivery(seed);
      const claimed = seed % delivered.length; // the claims are read at any moment
      for (let start = 0; start < delivered.length; start += batch) {
        if (start <= claimed && claimed < start + batch) addClaims(ledger, claims);
        writer.append(delivered.slice(start, start + batch));
      }
      if (digestOf(ledger) !== digest) assert.deepEqual(contentOf(ledger), contentOf(expected));
      assert.equal(recordOf(ledger), record);
      assert.equal(canonicalChain(ledger, "1-4-0").headSha256, headSha256);
    }),
    { numRuns: permutations },
  );
});

test("what carries a mark that no claim has does not count, is told, and is kept", () => {
  using ledger = ledgerOf(history);
  addClaims(ledger, claims);
  const report = JSON.parse(recordOf(ledger));
  assert.ok(
    report.gaps.some(
      ({ kind, attempt, count }: Record<string, unknown>) =>
        kind === "KIND_STRANGERS" && attempt === 3 && count === "24",
    ),
    JSON.stringify(report.gaps),
  );
  const steps = [...(readHistory(ledger, "1-4-0")?.steps ?? [])].filter(({ attempt: by }) => by === 3);
  assert.equal(steps.length, 120);
  const kept = ledger.database.prepare("SELECT COUNT(*) AS events FROM events WHERE nonce = '0-never-granted'").get();
  assert.equal(kept?.["events"], 24);
});

test("an attempt that claimed its number and never spoke ends what the one before may say", () => {
  const [begun, ...rest] = [attempt(shape, 1, shape.startMs, 0), ...stepsOf(1, 0, 60)];
  using ledger = ledgerOf([...(begun ? [begun] : []), ...rest]);
  addClaims(ledger, [...claims.slice(0, 1), { experiment: "1-4-0", attempt: 2, nonce: "silent", resumesFrom: 40 }]);
  assert.equal([...(readHistory(ledger, "1-4-0")?.steps ?? [])].length, 40);
});

test("a gap is told while a step is missing, and closed by the step when it comes after all", () => {
  const late = history.filter(
    (event) => event.kind === "step" && event.message.microStep === 500n && event.message.attempt === 3,
  );
  using ledger = ledgerOf(history.filter((event) => !late.includes(event)));
  addClaims(ledger, claims);
  assert.match(recordOf(ledger), /"kind": "KIND_MICRO_STEPS",\s+"first": "500"/);
  new EventWriter(ledger).append(late);
  assert.doesNotMatch(recordOf(ledger), /"kind": "KIND_MICRO_STEPS",\s+"first": "500"/);
});
