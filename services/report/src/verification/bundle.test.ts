/** A bundle on another machine: verified by a program of its own, without a service; one byte otherwise, anywhere, is found. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { create, fromJsonString } from "@bufbuild/protobuf";
import { Aborted, FailedPrecondition, NotFound, PretrainError, ResourceExhausted } from "@pretrain/errors";
import {
  ExportBundleRequestSchema,
  LogLine_Level,
  Verification_Check_Outcome as Outcome,
  VerificationSchema,
  VerifyReportRequestSchema,
} from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { exportBundle } from "../handlers/export-bundle.ts";
import { verifyReport } from "../handlers/verify-report.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import { log, runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { differencesOf, failedChecks, type WrittenRecord, writtenRecord } from "../test-support/written-record.ts";
import { bundleFileNames } from "./bundle-format.ts";
import { verifyBundle } from "./verify-bundle.ts";

const flips = Number(process.env["PRETRAIN_FLIPS"] ?? 12);
const shape = runShape({ stepsPerEpoch: 4, saveInterval: 4 });
const contradiction = ["first content", "second content"].map((text, index) =>
  log(shape, 7, shape.startMs + index, LogLine_Level.INFO, text),
);
const events = [...runEvents(shape), ...contradiction];
const everywhere = new AsyncDisposableStack();
test.after(() => everywhere.disposeAsync());
const scope = { after: (cleanUp: () => void) => everywhere.defer(cleanUp) };
const written = await writtenRecord(scope, events);
const bundle = await exported(written, temporaryDirectory(scope));

/** As a client writes it: every piece to the end of its file. */
async function exported({ ledger, blobs }: Pick<WrittenRecord, "ledger" | "blobs">, folder: string): Promise<string> {
  const request = create(ExportBundleRequestSchema, { name: "experiments/1-4-0/report" });
  for await (const { file, content } of exportBundle({ ledger, blobs, settled: async () => {} })(request)) {
    writeFileSync(join(folder, file), content, { flag: "a" });
  }
  return folder;
}

function copied(t: { after(cleanUp: () => void): void }): string {
  const folder = temporaryDirectory(t);
  cpSync(bundle, folder, { recursive: true });
  return folder;
}

function changeText(folder: string, file: string, change: (text: string) => string): void {
  const text = readFileSync(join(folder, file), "utf8");
  const changed = change(text);
  assert.notEqual(changed, text, "nothing was changed");
  writeFileSync(join(folder, file), changed);
}

test("a bundle holds the record's files, a line for each event and claim, and what vouches for them; it is sound", async () => {
  assert.deepEqual(readdirSync(bundle).sort(), [...bundleFileNames, "bundle.json"].sort());
  const lines = (file: string) => readFileSync(join(bundle, file), "utf8").split("\n").length - 1;
  assert.deepEqual([lines("claims.jsonl"), lines("events.jsonl")], [1, events.length]);
  const found = await verifyBundle(bundle);
  assert.deepEqual(failedChecks(found), []);
  assert.equal(found.sound, true);
  assert.equal(found.reportSha256, found.computedSha256);
});

test(`any bit of any file, changed ${flips} times: the bundle does not hold, and the file is named`, async (t) => {
  const files = [...bundleFileNames, "bundle.json"];
  const place = fc.tuple(
    fc.constantFrom(...files),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.nat(7),
  );
  const folder = copied(t);
  await fc.assert(
    fc.asyncProperty(place, async ([file, share, bit]) => {
      const original = readFileSync(join(bundle, file));
      const bytes = Buffer.from(original);
      const at = Math.floor(share * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      writeFileSync(join(folder, file), bytes);
      const found = await verifyBundle(folder);
      writeFileSync(join(folder, file), original);
      assert.equal(found.sound, false);
      const places = found.checks.flatMap(({ differences }) => differences).map((difference) => difference.place);
      assert.ok(
        places.some((named) => named.startsWith(file)),
        `${file} byte ${at}: ${places.join(" | ")}`,
      );
    }),
    { numRuns: flips },
  );
});

for (const [what, change, checks, named] of [
  [
    "an event that was taken out",
    (lines: string[]) => lines.toSpliced(20, 1),
    ["chain", "bundle"],
    /^events\.jsonl:21, /m,
  ],
  [
    "two events that were exchanged",
    (lines: string[]) => lines.toSpliced(20, 2, lines[21] ?? "", lines[20] ?? ""),
    ["chain", "bundle"],
    /^events\.jsonl:21, /m,
  ],
  [
    "an event that is there twice",
    (lines: string[]) => lines.toSpliced(20, 0, lines[20] ?? ""),
    ["chain", "bundle"],
    /^events\.jsonl:22, /m,
  ],
  [
    "a loss that was changed",
    (lines: string[]) =>
      lines.map((line) => line.replace(/"lossNats":(\d)/, (_, digit) => `"lossNats":${(Number(digit) + 1) % 10}`)),
    ["chain", "numbers", "documents", "bundle"],
    /^training\.\w+: /m,
  ],
  [
    "an event that is none",
    (lines: string[]) => ["{}", ...lines],
    ["events", "bundle"],
    /^events\.jsonl:1: \{\}, not undefined is no kind of event|its kind is no text/m,
  ],
  [
    "a line that is not JSON",
    (lines: string[]) => [`${"[".repeat(100_000)}`, ...lines],
    ["events", "bundle"],
    /^events\.jsonl:1: /m,
  ],
] as const) {
  test(`${what}: named`, async (t) => {
    const folder = copied(t);
    changeText(folder, "events.jsonl", (text) => `${change(text.split("\n").slice(0, -1)).join("\n")}\n`);
    const found = await verifyBundle(folder);
    for (const name of checks)
      assert.ok(failedChecks(found).includes(name), `${name} of ${failedChecks(found).join(", ")}`);
    assert.match(checks.flatMap((name) => differencesOf(found, name)).join("\n"), named);
  });
}

test("a word or a count of bundle.json that nothing else holds is named with its line", async (t) => {
  const folder = copied(t);
  changeText(folder, "bundle.json", (text) => text.replace('"events": ', '"events": 1'));
  assert.match(
    differencesOf(await verifyBundle(folder), "bundle").join(),
    /^bundle\.json:6: +"events": 1\d+,, not +"events": \d+,$/,
  );
});

test("a bundle that was made again from another ledger does not hold with the record that was published", async (t) => {
  const other = await writtenRecord(
    t,
    events.filter((event) => !(event.kind === "log" && event.message.number === 2n)),
  );
  const folder = await exported(other, temporaryDirectory(t));
  assert.equal((await verifyBundle(folder)).sound, true, "who forges everything is not found out by the bundle alone");
  for (const file of readdirSync(bundle).filter((name) => name.startsWith("report.")))
    cpSync(join(bundle, file), join(folder, file));
  const found = await verifyBundle(folder);
  assert.deepEqual(failedChecks(found), ["bundle", "chain", "numbers", "documents", "announcement"]);
  assert.match(differencesOf(found, "chain").join(), /^events from log\//);
});

test("hostile bundles are refused by name: no bundle, other versions, links, lines and files without end", async (t) => {
  const empty = temporaryDirectory(t);
  await assert.rejects(verifyBundle(empty), NotFound);
  for (const [file, made, kind] of [
    ["bundle.json", (path: string) => truncateSync(path, 2 ** 21), ResourceExhausted],
    ["report.json", (path: string) => truncateSync(path, 2 ** 29), ResourceExhausted],
    ["events.jsonl", (path: string) => truncateSync(path, 2 ** 35), ResourceExhausted],
    [
      "events.jsonl",
      (path: string) => {
        rmSync(path);
        symlinkSync("/dev/zero", path);
      },
      FailedPrecondition,
    ],
    [
      "claims.jsonl",
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
      FailedPrecondition,
    ],
    ["claims.jsonl", (path: string) => rmSync(path), NotFound],
  ] as const) {
    const folder = copied(t);
    made(join(folder, file));
    await assert.rejects(
      verifyBundle(folder),
      (error) => error instanceof PretrainError && error instanceof kind && error.message.includes(file),
    );
  }
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const deep = copied(t);
  changeText(deep, "report.json", (text) => text.replace("{", `{"nested":${nested(50_000)},`));
  changeText(deep, "events.jsonl", (text) => `{"kind":"state","payload":${nested(50_000)}}\n${text}`);
  changeText(deep, "bundle.json", (text) => text.replace(/"sha256": "[^"]*"/, `"sha256": ${nested(20)}`));
  assert.deepEqual(failedChecks(await verifyBundle(deep)), [
    "bundle",
    "events",
    "numbers",
    "documents",
    "announcement",
  ]);
  const far = copied(t);
  const sequence = { kind: "state", attempt: 0, nonce: "", number: 2 ** 31 - 1, detail: "", link: "a".repeat(64) };
  const payload = { experiment: "experiments/1-4-0", sequence: 2 ** 31 - 1, time: "2026-05-17T09:31:00Z" };
  changeText(far, "events.jsonl", (text) => `${text}${JSON.stringify({ ...sequence, payload })}\n`);
  assert.ok(failedChecks(await verifyBundle(far)).includes("numbers"));
  const long = copied(t);
  truncateSync(join(long, "claims.jsonl"), 2 ** 25); // a line of zeros
  assert.match(differencesOf(await verifyBundle(long), "events").join(), /^claims\.jsonl:2: line 2 has more than/);
  for (const [text, fault] of [
    ["[]", /format is/],
    ["{", /JSON/],
    ['{"format":"pretrain-bundle","version":2}', /version is 2/],
  ] as const) {
    const folder = copied(t);
    writeFileSync(join(folder, "bundle.json"), text);
    assert.match(differencesOf(await verifyBundle(folder), "bundle").join(), fault);
  }
});

test("a record that differs from its ledger, is open or not written is not exported", async (t) => {
  const { ledger, blobs } = await writtenRecord(t, events);
  const reason = (expected: string) => (error: unknown) =>
    error instanceof FailedPrecondition && error.reason === expected;
  await blobs.put("experiments/1-4-0/report/report.json", Buffer.from("{}"));
  await assert.rejects(exported({ ledger, blobs }, temporaryDirectory(t)), reason("RECORD_DIFFERS"));
  await blobs.delete("experiments/1-4-0/report/report.json");
  await assert.rejects(exported({ ledger, blobs }, temporaryDirectory(t)), reason("RECORD_NOT_WRITTEN"));
  ledger.database.exec("DELETE FROM events WHERE kind = 'state' AND number = 4");
  await assert.rejects(exported({ ledger, blobs }, temporaryDirectory(t)), reason("RECORD_OPEN"));
});

test("an event that comes while a bundle is exported, or a record verified, makes it be asked for again", async (t) => {
  const { ledger, blobs } = await writtenRecord(t, events);
  const writer = new EventWriter(ledger);
  let lines = 100;
  const comes = () => void writer.append([log(shape, (lines += 1), shape.startMs, LogLine_Level.INFO, "late")]);
  const request = { name: "experiments/1-4-0/report" };
  const busy = {
    ...blobs,
    stat: (key: string) => blobs.stat(key),
    read: async (key: string) => (comes(), blobs.read(key)),
  };
  const verify = verifyReport({ ledger, blobs: busy, settled: async () => {} });
  await assert.rejects(verify(create(VerifyReportRequestSchema, request)), Aborted);
  const other = await writtenRecord(t, events);
  const late = new EventWriter(other.ledger);
  const pieces = exportBundle({ ...other, settled: async () => {} })(create(ExportBundleRequestSchema, request));
  await pieces.next();
  late.append([log(shape, 99, shape.startMs, LogLine_Level.INFO, "late")]);
  await assert.rejects(Array.fromAsync(pieces), Aborted);
});

test("the program prints the same verification in every time zone and language, and its exit code says whether it holds", async (t) => {
  const program = join(import.meta.dirname, "verify-bundle-main.ts");
  const run = (folder: string, environment: NodeJS.ProcessEnv) =>
    promisify(execFile)(process.execPath, [program, folder], { env: { PATH: process.env["PATH"], ...environment } });
  const [here, there] = await Promise.all([
    run(bundle, { TZ: "UTC", LANG: "C" }),
    run(bundle, { TZ: "Asia/Kathmandu", LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8" }),
  ]);
  assert.equal(here.stdout, there.stdout);
  const found = fromJsonString(VerificationSchema, here.stdout);
  assert.equal(found.sound, true);
  assert.equal(found.checks.find(({ name }) => name === "documents")?.outcome, Outcome.PASSED);
  const damaged = copied(t);
  changeText(damaged, "report.md", (text) => text.replace("1.4.0", "1.4.1"));
  await assert.rejects(
    run(damaged, {}),
    (error: { code: number; stdout: string }) =>
      error.code === 1 && !fromJsonString(VerificationSchema, error.stdout).sound,
  );
  await assert.rejects(
    run(temporaryDirectory(t), {}),
    (error: { code: number; stderr: string }) => error.code === 2 && /bundle\.json is not there/.test(error.stderr),
  );
});
