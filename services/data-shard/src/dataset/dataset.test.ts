import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition } from "@pretrain/errors";
import { Dataset_State as State } from "@pretrain/proto";
import { packingSettings } from "../test-support/packing-settings.ts";
import { askedFor, begun, completed, failed, type PackedRecord, progressed } from "./dataset-changes.ts";
import { type DatasetInputs, datasetIdOf } from "./dataset-identity.ts";
import { after, expectReady } from "./lifecycle.ts";
import { newDataset, packingRules, settingsSha256 } from "./new-dataset.ts";
import { ReasonCounts } from "./reason-counts.ts";
import { isForValidation } from "./split-rule.ts";
import { SplitTally } from "./split-tally.ts";

const now = new Date("2026-01-02T03:04:05Z");
const settings = packingSettings({ path: "books/Moby Dick.jsonl" });
const inputs: DatasetInputs = {
  train: { sha256: "aa", sizeBytes: 10 },
  validation: undefined,
  tokenizer: undefined,
  rules: packingRules(settings),
};
const fresh = newDataset(settings, inputs, now);
const completion = {
  manifestSha256: "mm",
  tokenizerKey: "tokenizers/tt.json",
  tokenizerSha256: "tt",
  vocabularySize: 300,
  trainRows: 7,
  validationRows: 2,
};
const ready = completed(begun(fresh), completion, now);
const broken = failed(begun(fresh), "the disk is full", now);

test("an id has the file's name in small letters and 12 digits of what decides the bytes, and is a NATS token", () => {
  assert.match(datasetIdOf("books/Moby Dick.jsonl", inputs), /^moby-dick-[0-9a-f]{12}$/);
  assert.match(datasetIdOf("红楼梦.txt", inputs), /^data-[0-9a-f]{12}$/);
  const long = datasetIdOf(`${"x".repeat(39)}-${"y".repeat(300)}.txt`, inputs);
  assert.match(long, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
});

test("the id changes with every byte read and every rule applied, and with nothing else", () => {
  const idOf = (changes: Partial<DatasetInputs>) => datasetIdOf("a.jsonl", { ...inputs, ...changes });
  const { rules } = inputs;
  const ids = [
    idOf({}),
    idOf({ train: { sha256: "ab", sizeBytes: 10 } }),
    idOf({ validation: { sha256: "aa", sizeBytes: 10 } }),
    idOf({ tokenizer: { sha256: "aa", sizeBytes: 10 } }),
    idOf({ rules: { ...rules, format: "text" } }),
    idOf({ rules: { ...rules, validationEvery: 20 } }),
    idOf({ rules: { ...rules, trainVocabularySize: 301 } }),
    idOf({ rules: { ...rules, maximumSequenceLength: 17 } }),
    idOf({ rules: { ...rules, cut: "keep_eos" } }),
    idOf({ rules: { ...rules, minimumRowCharacters: 1 } }),
  ];
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(datasetIdOf("/elsewhere/a.jsonl", inputs), idOf({}));
});

test("settings without effect do not make another dataset: characters of JSONL, a vocabulary size beside a tokenizer", () => {
  assert.deepEqual(packingRules(packingSettings({ path: "a", minimumRowCharacters: 400 })), inputs.rules);
  const [one, two] = [300, 400].map((trainVocabularySize) =>
    packingRules(packingSettings({ path: "a", tokenizerPath: "t.json", trainVocabularySize })),
  );
  assert.deepEqual(one, two);
});

test("a dataset goes PENDING, PACKING, READY or FAILED, and only then again from the beginning", () => {
  const accepted = Object.entries(State).flatMap(([name, state]) =>
    (["begin", "complete", "fail", "renew"] as const).flatMap((command) =>
      after(state, command) === undefined ? [] : [`${name} ${command}`],
    ),
  );
  assert.deepEqual(accepted, [
    "PENDING begin",
    "PENDING fail",
    "PACKING begin",
    "PACKING complete",
    "PACKING fail",
    "READY renew",
    "FAILED renew",
  ]);
});

test("completion writes the numbers and the time, failure the reason", () => {
  const { state, trainRows, validationRows, tokenizerBlob, manifestSha256, bytesRead, endTime } = ready.dataset;
  assert.deepEqual(
    [state, trainRows, validationRows, tokenizerBlob, manifestSha256, bytesRead, endTime?.seconds],
    [State.READY, 7n, 2n, "tokenizers/tt.json", "mm", 10n, BigInt(now.getTime() / 1000)],
  );
  assert.deepEqual([broken.dataset.state, broken.dataset.error], [State.FAILED, "the disk is full"]);
});

test("a change that comes too late changes nothing", () => {
  for (const change of [
    (record: PackedRecord) => begun(record),
    (record: PackedRecord) => progressed(record, 5),
    (record: PackedRecord) => completed(record, completion, now),
    (record: PackedRecord) => failed(record, "late", now),
  ]) {
    assert.equal(change(ready), ready);
    assert.equal(change(broken), broken);
  }
});

test("asking again remembers the request, renews what failed or is lost, and nothing else", () => {
  const request = { requestId: "r1", settingsSha256: "ss" };
  const anonymous = { requestId: "", settingsSha256: "ss" };
  assert.equal(askedFor(ready, anonymous, { isLost: false }), ready);
  const asked = askedFor(ready, request, { isLost: false });
  assert.equal(asked.dataset, ready.dataset);
  assert.deepEqual(
    asked.requests.map(({ requestId }) => requestId),
    ["r1"],
  );
  assert.equal(askedFor(asked, request, { isLost: false }), asked);
  const { dataset } = fresh;
  assert.deepEqual(askedFor(broken, anonymous, { isLost: false }).dataset, dataset);
  assert.deepEqual(askedFor(ready, anonymous, { isLost: true }).dataset, dataset);
  const packing = begun(fresh);
  assert.equal(askedFor(packing, anonymous, { isLost: false }), packing);
});

test("a record remembers its last hundred requests", () => {
  let record = fresh;
  for (let index = 0; index < 150; index += 1) {
    record = askedFor(record, { requestId: `r${index}`, settingsSha256: "ss" }, { isLost: false });
  }
  assert.deepEqual([record.requests.length, record.requests[0]?.requestId], [100, "r50"]);
});

test("settings have one digest, whatever order they were written in, and another when one field differs", () => {
  assert.equal(
    settingsSha256(packingSettings({ path: "a", cut: "keep_eos" })),
    settingsSha256(packingSettings({ cut: "keep_eos", path: "a" })),
  );
  assert.notEqual(settingsSha256(packingSettings({ path: "a" })), settingsSha256(packingSettings({ path: "b" })));
});

test("a call that reads a dataset which is not READY is told its state, and why it failed", () => {
  assert.doesNotThrow(() => expectReady(ready.dataset));
  assert.throws(() => expectReady(broken.dataset), { message: `${broken.dataset.name} is FAILED: the disk is full` });
  assert.throws(() => expectReady(fresh.dataset), FailedPrecondition);
});

test("a text is set aside when the first 8 hex digits of its SHA-256 are divisible by the number", () => {
  // SHA-256 of "abc" begins with ba7816bf, 3128432319 = 3 * 1042810773; that of the empty text with e3b0c442 = 2 * 1910006305.
  assert.deepEqual(
    [2, 3, 5].map((every) => isForValidation("abc", every)),
    [false, true, false],
  );
  assert.deepEqual(
    [0, 1, 2].map((every) => isForValidation("", every)),
    [false, true, true],
  );
});

test("reasons are counted with the lines of the first ten", () => {
  const counts = new ReasonCounts();
  for (let line = 1; line <= 12; line += 1) counts.add("INVALID_JSON", line);
  counts.add("BLANK_LINE", 7);
  assert.deepEqual(counts.all, [
    { reason: "BLANK_LINE", rows: 1, firstLines: [7] },
    { reason: "INVALID_JSON", rows: 12, firstLines: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
  ]);
});

test("two rows of 3 and 2 tokens padded to 4 have 5 tokens, 3 targets, 3 of 8 positions of padding", () => {
  const tally = new SplitTally(4);
  tally.add(Uint16Array.of(1, 258, 2), 0, 10);
  tally.add(Uint16Array.of(1, 2), 3, 20);
  const { paddedIdsSha256, ...numbers } = tally.numbers;
  assert.deepEqual(numbers, {
    rows: 2,
    tokens: 5,
    rowsCut: 1,
    tokensLost: 3,
    targets: 3,
    paddingShare: 3 / 8,
    textBytes: 30,
  });
  // printf '\1\0\2\1\2\0\0\0\1\0\2\0\0\0\0\0' | sha256sum
  assert.equal(paddedIdsSha256, "ab53b44c7dfa2a5e318bc833ae9effd9aa90231b45926998691fe90bba55785b");
  assert.equal(new SplitTally(4).numbers.paddingShare, 0);
});
