/** What VerifyReport says: a record that holds is green; a changed digit anywhere is found, and named where it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Verification_Check_Outcome as Outcome, type Verification } from "@pretrain/proto";
import { EventWriter } from "../ledger/event-writer.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { forgeLinks, rewriteEvent, writeChecksums } from "../test-support/forged-ledger.ts";
import { runEvents, state } from "../test-support/run-events.ts";
import { nonceOf, runShape } from "../test-support/run-shape.ts";
import { differencesOf, failedChecks, writtenRecord } from "../test-support/written-record.ts";

const shape = runShape({ stepsPerEpoch: 8, saveInterval: 8 });
const run = runEvents(shape);
const third = `step/1/${nonceOf(1)}/3`;
const report = "experiments/1-4-0/report";

test("a record as it was written is sound, and each check says what it looked at", async (t) => {
  const { verify } = await writtenRecord(t, run);
  const found = await verify();
  assert.deepEqual(failedChecks(found), []);
  assert.equal(found.sound, true);
  assert.equal(found.reportSha256, found.computedSha256);
  const events = run.length + 1; // and the announcement
  assert.equal(evidence(found, "events"), `${events} events, 0 contradictions, 1 claims, 1 marks`);
  assert.match(evidence(found, "chain"), new RegExp(`^${events} events and claims, head [0-9a-f]{64}$`)); // with the claim, without it
  assert.match(evidence(found, "numbers"), /^\d{3,} values of report\.json/);
  assert.equal(evidence(found, "checkpoints"), "was not asked for");
});

function evidence({ checks }: Verification, name: string): string {
  return checks.find((check) => check.name === name)?.evidence ?? "";
}

test("a loss that was changed by 1e-4 in the ledger, its checksum with it: the step, the number and its section are named", async (t) => {
  const { ledger, verify } = await writtenRecord(t, run);
  ledger.database.exec("UPDATE steps SET loss_nats = loss_nats + 1e-4 * loss_tokens WHERE micro_step = 24");
  writeChecksums(ledger, "steps");
  const found = await verify();
  assert.deepEqual(failedChecks(found), ["events", "numbers", "documents"]);
  assert.match(differencesOf(found, "events").join(), new RegExp(`step/1/${nonceOf(1)}/24: steps.loss_nats `));
  const numbers = found.checks.find(({ name }) => name === "numbers")?.differences ?? [];
  const last = numbers.find(({ place }) => place === "training.lastLoss");
  assert.ok(Math.abs(Number(last?.computed) - Number(last?.recorded) - 1e-4) < 1e-9, JSON.stringify(last));
  const shown = numbers.find(({ place }) => /^indicators\[\d+\]\.final$/.test(place));
  assert.equal(shown?.section, "indicators");
});

const stepOf = (ledger: Ledger, by: number) =>
  rewriteEvent(ledger, "kind = 'step' AND number = 3", (payload) =>
    payload.replace(/"lossNats":([\d.]+)/, (_, nats) => `"lossNats":${Number(nats) + by}`),
  );

for (const [what, damage, failing, named] of [
  [
    "a value that was changed without its checksum",
    ({ database }: Ledger) =>
      database.exec("UPDATE events SET time_ms = time_ms + 1 WHERE kind = 'log' AND number = 1"),
    ["events"],
    new RegExp(`log/1/${nonceOf(1)}/1: checksum`),
  ],
  [
    "an event that was changed with its checksum and its digest",
    (ledger: Ledger) => stepOf(ledger, 1),
    ["events", "chain"],
    new RegExp(`${third}: came into the ledger, not is not there as it came`),
  ],
  [
    "an event that was changed, and every link of the ledger's chain made again",
    (ledger: Ledger) => {
      stepOf(ledger, 1);
      ledger.database.exec("UPDATE steps SET loss_nats = loss_nats + 1 WHERE micro_step = 3");
      writeChecksums(ledger, "steps");
      forgeLinks(ledger, "1-4-0");
    },
    ["chain", "numbers", "documents"],
    new RegExp(`events from step/1/${nonceOf(1)}/2 to ${third}: `),
  ],
  [
    "an event that was taken away",
    ({ database }: Ledger) => database.exec("DELETE FROM events WHERE kind = 'memory' AND number = 10"),
    ["chain", "numbers", "documents"],
    new RegExp(`memory/1/${nonceOf(1)}/10: came into the ledger`),
  ],
  [
    "an event that was taken away, and every link made again",
    (ledger: Ledger) => {
      ledger.database.exec("DELETE FROM events WHERE kind = 'log' AND number = 2");
      forgeLinks(ledger, "1-4-0");
    },
    ["chain", "numbers", "documents"],
    new RegExp(`events from log/1/${nonceOf(1)}/1 to `),
  ],
  [
    "two events that were exchanged",
    ({ database }: Ledger) =>
      database.exec(`
        UPDATE events SET number = -number WHERE kind = 'log';
        UPDATE events SET number = 3 + number WHERE kind = 'log'`),
    ["events", "numbers", "documents"],
    new RegExp(`log/1/${nonceOf(1)}/1: checksum`),
  ],
  [
    "an announcement that was taken away",
    ({ database }: Ledger) => database.exec("DELETE FROM events WHERE kind = 'report'"),
    ["chain", "announcement"],
    /report\/[0-9a-f]{64}: is not in the ledger/,
  ],
] as const) {
  test(`${what}: found and named`, async (t) => {
    const { ledger, verify } = await writtenRecord(t, run);
    damage(ledger);
    const found = await verify();
    assert.equal(found.sound, false);
    for (const name of failing)
      assert.ok(failedChecks(found).includes(name), `${name} of ${failedChecks(found).join(", ")}`);
    assert.match(failing.flatMap((name) => differencesOf(found, name)).join("\n"), named);
  });
}

test("a target that was moved after the run, in the ledger and with all digests but the sealed one: the seal is broken", async (t) => {
  const { ledger, verify } = await writtenRecord(t, run);
  rewriteEvent(ledger, "kind = 'state' AND number = 1", (payload) => payload.replace('"value":20', '"value":30'));
  forgeLinks(ledger, "1-4-0");
  const found = await verify();
  assert.ok(failedChecks(found).includes("seal"));
  assert.match(differencesOf(found, "seal").join("\n"), /^state\/1: recipe_sha256: /);
  const numbers = found.checks.find(({ name }) => name === "numbers")?.differences ?? [];
  assert.ok(
    numbers.some(
      ({ place, recorded, computed }) => place === "recipe.targets[2].value" && recorded === "20" && computed === "30",
    ),
  );
});

test("a target that was moved by another first transition, sent later: the run's own recipe counts, and the other is named", async (t) => {
  const moved = structuredClone(shape.recipe);
  const [, , target] = moved.targets;
  assert.ok(target);
  target.value = 30;
  const other = state({ ...shape, recipe: moved }, 1, shape.startMs + 500_000, 1);
  const { ledger, verify } = await writtenRecord(t, run);
  new EventWriter(ledger).append([other]);
  const found = await verify();
  assert.match(differencesOf(found, "seal").join("\n"), /^state\/1: recipe_sha256: /);
  const targets = found.checks
    .flatMap(({ differences }) => differences)
    .filter(({ place }) => place.includes("targets"));
  assert.deepEqual(targets, []);
});

test("a recipe that was sealed when the first step had begun is no seal", async (t) => {
  const late = run.map((event) =>
    event.kind === "state" && event.message.sequence === 1 ? state(shape, 1, shape.startMs + 15_000, 1) : event,
  );
  const { verify } = await writtenRecord(t, late);
  const found = await verify();
  assert.match(
    differencesOf(found, "seal").join("\n"),
    /^state\/1: time: sealed 2026-05-17T09:30:15.000Z, not before 2026-05-17T09:30:12/,
  );
});

test("a digit that was changed in report.json or in a document is named with its line, and what should stand there", async (t) => {
  const { blobs, verify } = await writtenRecord(t, run);
  const original = await blobs.read(`${report}/report.zh.md`);
  const lines = Buffer.from(original).toString("utf8").split("\n");
  const index = lines.findIndex((line) => /\d\.\d{4}/.test(line));
  lines[index] = (lines[index] ?? "").replace(/(\d\.\d{3})\d/, "$1x");
  await blobs.put(`${report}/report.zh.md`, Buffer.from(lines.join("\n")));
  const [document] = differencesOf(await verify(), "documents");
  assert.ok(document?.startsWith(`report.zh.md:${index + 1}: ${(lines[index] ?? "").slice(0, 40)}`), `${document}`);
  await blobs.put(`${report}/report.zh.md`, original);

  const json = Buffer.from(await blobs.read(`${report}/report.json`)).toString("utf8");
  await blobs.put(`${report}/report.json`, Buffer.from(json.replace(/"microSteps": "24"/, '"microSteps": "25"')));
  const found = await verify();
  assert.deepEqual(failedChecks(found), ["numbers", "documents", "announcement"]);
  assert.deepEqual(differencesOf(found, "numbers"), ["training.microSteps: 25, not 24"]);
  assert.match(differencesOf(found, "documents").join(), /^report\.json:\d+:  +"microSteps": "25",/);
});

test("a record that is nothing any more, or gone, is told and no error", async (t) => {
  const { blobs, verify } = await writtenRecord(t, run);
  await blobs.put(`${report}/report.json`, Buffer.from([0xff, 0xfe, 0x00]));
  await blobs.delete(`${report}/report.html`);
  const damaged = await verify();
  assert.deepEqual(failedChecks(damaged), ["numbers", "documents", "announcement"]);
  assert.match(differencesOf(damaged, "documents").join("\n"), /^report\.html: is not there/m);
  await blobs.delete(`${report}/report.json`);
  assert.match(differencesOf(await verify(), "numbers").join(), /^report\.json: is not there, not was announced$/);
});

test("while the record is open its numbers are not compared, and the reason is told", async (t) => {
  const { ledger, blobs, verify } = await writtenRecord(t, run);
  await blobs.delete(`${report}/report.json`);
  ledger.database.exec("DELETE FROM events WHERE kind IN ('report', 'state') AND number <> 1");
  ledger.database.exec("DELETE FROM events WHERE kind = 'report'");
  const outcomes = new Map(
    (await verify()).checks.map(({ name, outcome, evidence: reason }) => [name, [outcome, reason]]),
  );
  for (const name of ["numbers", "documents", "announcement"]) {
    assert.deepEqual(outcomes.get(name), [Outcome.SKIPPED, "no record was written yet"]);
  }
  assert.equal(outcomes.get("seal")?.[0], Outcome.PASSED);
});
