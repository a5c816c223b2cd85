/**
 * A ledger that was changed on the disk: found at the start or harmless, set aside and never deleted, and made whole by what
 * can still be read of it and by the streams. `PRETRAIN_FLIPS` sets how many damages of each kind are tried.
 */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { LogLine_Level } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { contentOf, ledgerOf } from "../test-support/ledger-of.ts";
import { attempt, log, runEvents } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { addClaims } from "./claims.ts";
import { EventWriter } from "./event-writer.ts";
import { ledgerFault } from "./ledger-fault.ts";
import { openLedger } from "./open-ledger.ts";
import { positionIn, setPosition } from "./positions.ts";
import { openSoundLedger, type SoundLedger } from "./sound-ledger.ts";

const flips = Number(process.env["PRETRAIN_FLIPS"] ?? 200);
const stream = "PRETRAIN_METRICS";
const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
/** What the stream holds, an event for each of its sequences from 1 on. */
const events = [
  ...runEvents(shape),
  attempt(shape, 2, shape.startMs + 50_000, 8),
  log(shape, 7, shape.startMs, LogLine_Level.INFO, "first content"),
  log(shape, 7, shape.startMs + 5, LogLine_Level.INFO, "second content"),
];
const claims = [{ experiment: "1-4-0", attempt: 1, nonce: nonceOf(1), resumesFrom: 0 }];
const whole = contentOf(withClaims(ledgerOf(events)));

function withClaims(ledger: ReturnType<typeof openLedger>) {
  addClaims(ledger, claims);
  return ledger;
}

/** A ledger with all events, half of them with a position behind them; of a killed process, it has a write-ahead log. */
function written(folder: string, { isKilled }: { readonly isKilled: boolean }): { path: string; id: string } {
  const path = join(folder, "ledger.sqlite");
  const live = isKilled ? join(folder, "live.sqlite") : path;
  using ledger = withClaims(openLedger(live));
  const writer = new EventWriter(ledger);
  const half = Math.floor(events.length / 2);
  writer.append(events.slice(0, half));
  setPosition(ledger, stream, half);
  writer.append(events.slice(half));
  if (isKilled) copied(live, path);
  return { path, id: ledger.id };
}

/** As the service does: from the ledger's position on, the stream brings everything again. */
function caughtUp({ ledger }: SoundLedger): unknown[] {
  new EventWriter(ledger).append(events.slice(positionIn(ledger, stream)));
  return contentOf(withClaims(ledger));
}

function copied(from: string, to: string): void {
  for (const ending of ["", "-wal"]) {
    rmSync(to + ending, { force: true });
    if (existsSync(from + ending)) copyFileSync(from + ending, to + ending);
  }
}

function flipped(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  writeFileSync(path, bytes);
}

for (const [what, ending, damage] of [
  ["a flipped bit of the ledger", "", (path: string, at: number) => flipped(path, at)],
  ["a ledger cut short", "", (path: string, at: number) => truncateSync(path, at >> 3)],
  ["a flipped bit of its write-ahead log", "-wal", (path: string, at: number) => flipped(path, at)],
  ["a write-ahead log cut short", "-wal", (path: string, at: number) => truncateSync(path, at >> 3)],
] as const) {
  test(`${what}, ${flips} times anywhere: found, or harmless, and whole again behind the streams`, (t) => {
    const { path: source, id } = written(temporaryDirectory(t), { isKilled: ending === "-wal" });
    const bits = 8 * statSync(source + ending).size;
    let found = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bits - 1 }), (at) => {
        const path = join(temporaryDirectory(t), "ledger.sqlite");
        copied(source, path);
        damage(path + ending, at);
        const sound = open(path);
        if (sound === "refused") return void (found += 1);
        const { ledger, setAside } = sound;
        using _ = ledger;
        if (setAside !== undefined) found += 1;
        else if (ending === "" && ledger.id === id) assert.deepEqual(contentOf(ledger), whole, "passed over");
        assert.deepEqual(caughtUp(sound), whole);
      }),
      { numRuns: flips },
    );
    t.diagnostic(`${found} of ${flips} found at the start, the others harmless`);
    if (ending === "") assert.ok(found > flips / 2, "most of the file matters");
  });
}

/** A bit of the version makes it a ledger of a later program, which is named and left alone. */
function open(path: string): SoundLedger | "refused" {
  try {
    return openSoundLedger(path);
  } catch (error) {
    if (error instanceof FailedPrecondition && error.reason === "LEDGER_VERSION") return "refused";
    throw error;
  }
}

test("a damaged ledger is set aside whole, what it still holds is in the new one, and the damage is named", (t) => {
  const { path } = written(temporaryDirectory(t), { isKilled: false });
  const database = new DatabaseSync(path);
  database.exec("UPDATE steps SET loss_nats = loss_nats + 1 WHERE micro_step = 3"); // well-formed, and not what was measured
  database.exec("UPDATE events SET payload = replace(payload, 'second', 'other') WHERE kind = 'log' AND number = 7");
  database.close();
  const bytes = readFileSync(path);
  const { ledger, setAside } = openSoundLedger(path);
  using _ = ledger;
  assert.match(setAside?.fault ?? "", /a row of the table "(events|steps)" was changed/);
  assert.equal(setAside?.path, `${path}.damaged-1`);
  assert.deepEqual(readFileSync(setAside?.path ?? ""), bytes);
  assert.equal(setAside?.unreadable, 1);
  const lost = whole.flat().length - contentOf(withClaims(ledger)).flat().length;
  assert.equal(lost, 2); // the event that was changed, and the content that it stood against
});

test("a file that is no database is set aside too; the newest three are kept", (t) => {
  const path = join(temporaryDirectory(t), "ledger.sqlite");
  for (let time = 1; time <= 5; time += 1) {
    writeFileSync(path, `this is no database, number ${time}, but long enough for a header`.repeat(20));
    openSoundLedger(path).ledger[Symbol.dispose]();
  }
  const kept = [1, 2, 3].map((place) => /number (\d)/.exec(readFileSync(`${path}.damaged-${place}`, "latin1"))?.[1]);
  assert.deepEqual(kept, ["3", "4", "5"]);
  assert.equal(existsSync(`${path}.damaged-4`), false);
});

test("a death between setting aside and putting in place leaves the new ledger, which is taken", (t) => {
  const { path } = written(temporaryDirectory(t), { isKilled: false });
  renameSync(path, `${path}.new`);
  const { ledger, setAside } = openSoundLedger(path);
  using _ = ledger;
  assert.equal(setAside, undefined);
  assert.deepEqual(contentOf(ledger), whole);
});

for (const [version, columns] of [
  [1, "experiment, kind, attempt, number, detail, time_ms, payload"],
  [2, "experiment, kind, attempt, nonce, number, detail, time_ms, payload, checksum"],
] as const) {
  test(`a ledger of version ${version} is built anew from its own events, each with its link`, (t) => {
    const path = join(temporaryDirectory(t), "ledger.sqlite");
    const old = new DatabaseSync(path);
    old.exec(`
      CREATE TABLE ledger (id TEXT PRIMARY KEY); INSERT INTO ledger VALUES ('00000000');
      CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, ${columns});
      PRAGMA user_version = ${version}`);
    using source = ledgerOf(events);
    const rows = source.database.prepare(`SELECT ${columns} FROM events ORDER BY position`).all();
    const put = old.prepare(`INSERT INTO events (${columns}) VALUES (${columns.replace(/\w+/g, "?")})`);
    for (const row of rows) put.run(...Object.values(row));
    old.close();
    const { ledger, setAside } = openSoundLedger(path);
    using _ = ledger;
    assert.match(setAside?.fault ?? "", new RegExp(`version ${version}`));
    assert.deepEqual([setAside?.events, setAside?.unreadable], [rows.length, 0]);
    assert.equal(ledgerFault(ledger), undefined);
  });
}
