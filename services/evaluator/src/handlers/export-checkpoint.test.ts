/** Exports as values in a store: what is asked of the computing process, what is kept, and what a crash or damage leaves. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { sha256Hex } from "@pretrain/blobs";
import { checkpointHolders } from "@pretrain/checkpoint";
import { AlreadyExists, DataLoss, FailedPrecondition, NotFound } from "@pretrain/errors";
import { Dataset_State, ExportCheckpointRequestSchema, Export_Format as Format } from "@pretrain/proto";
import { temporaryDirectory } from "@pretrain/testing";
import type { Ask } from "../computing/computing-process.ts";
import { expectLlamaEquivalent } from "../exports/llama-equivalent.ts";
import { sweepAbandonedExports } from "../stores/kept-exports.ts";
import { proven } from "../test-support/certificates.ts";
import { checkpoint } from "../test-support/loaded-experiment.ts";
import { datasetSha256, tinyExperiment, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import type { ExportAnswer, ExportQuestion } from "../worker/protocol.ts";
import { exportCheckpoint } from "./export-checkpoint.ts";
import { readExportedFile } from "./read-exported-file.ts";

const content = Buffer.from("what another program reads");

/** A computing process that writes one file, whatever it is asked for, and what else a test has it do before. */
async function setUp(t: TestContext) {
  const experiment = await tinyExperiment(pathToFileURL(temporaryDirectory(t)).href);
  const sealed = await writeTinyCheckpoint(experiment);
  const { blobs, tokenizerBlob, tokenizerSha256 } = experiment;
  const asked: ExportQuestion[] = [];
  const before = { answer: async (): Promise<unknown> => undefined, file: "0123456789abcdef.model.gguf" };
  const answer = async (question: ExportQuestion): Promise<ExportAnswer> => {
    asked.push(question);
    await before.answer();
    const { key, sizeBytes, sha256 } = await blobs.put(`${question.folder}${before.file}`, content);
    return {
      files: [{ name: "model.gguf", blob: key, sizeBytes, sha256 }],
      proof: [{ name: "export_scores" }],
      headDim: 4,
      certificate: proven,
    };
  };
  const ask = ((_kind: string, question: ExportQuestion) => answer(question)) as unknown as Ask;
  const dataset = { name: "datasets/tiny-data", state: Dataset_State.READY, manifestSha256: datasetSha256 };
  const dataShard = { getDataset: async () => ({ ...dataset, tokenizerBlob, tokenizerSha256 }) } as never;
  let time = Date.parse("2026-01-01T00:00:00Z");
  const dependencies = {
    blobs,
    dataShard,
    computing: { borrow: async () => ({ ask, [Symbol.dispose]: () => undefined }) },
    now: () => new Date(time),
  };
  const request = (fields: MessageInitShape<typeof ExportCheckpointRequestSchema> = {}) =>
    create(ExportCheckpointRequestSchema, {
      checkpoint: "experiments/tiny/checkpoints/8",
      format: Format.GGUF,
      ...fields,
    });
  const handle = exportCheckpoint(dependencies);
  const read = async (name: string, file = "model.gguf") => {
    const pieces = await Array.fromAsync(readExportedFile({ blobs })({ name, file } as never));
    return Buffer.concat(pieces.map((piece) => piece.content));
  };
  const exportKeys = () => Array.fromAsync(blobs.list("exports/"), ({ key }) => key.replace(/^exports\/[^/]+\//, ""));
  const wait = (ms: number) => (time += ms);
  const exported = (fields = {}) => handle(request(fields));
  return {
    experiment,
    sealed,
    blobs,
    asked,
    before,
    exported,
    read,
    exportKeys,
    wait,
    now: dependencies.now,
    dependencies,
  };
}

test("an export is named by checkpoint, format and content, and its file is what was written", async (t) => {
  const { sealed, exported, read, exportKeys } = await setUp(t);
  const found = await exported();
  assert.match(found.name, /^exports\/tiny-8-gguf-[0-9a-f]{12}$/);
  assert.deepEqual(
    [found.checkpoint, found.checkpointSha256],
    ["experiments/tiny/checkpoints/8", sealed.manifestSha256],
  );
  assert.deepEqual(
    found.files.map(({ name, sizeBytes, sha256 }) => [name, sizeBytes, sha256]),
    [["model.gguf", BigInt(content.length), sha256Hex(content)]],
  );
  assert.deepEqual(await read(found.name), content);
  assert.deepEqual((await exportKeys()).sort(), ["0123456789abcdef.model.gguf", "export.json"]);
});

test("the same again, at once or later, is written once; other heads and formats are other exports", async (t) => {
  const { exported, asked } = await setUp(t);
  const [one, two] = await Promise.all([exported(), exported({ checkpoint: "experiments/Tiny/checkpoints/8" })]);
  assert.deepEqual(two, one);
  assert.deepEqual(await exported(), one);
  assert.equal(asked.length, 1);
  const others = [await exported({ padHeadDim: 32 }), await exported({ format: Format.HUGGING_FACE })];
  assert.equal(new Set([one, ...others].map(({ name }) => name)).size, 3);
  assert.deepEqual(
    asked.map(({ format, padHeadDim }) => [format, padHeadDim]),
    [
      ["gguf", 0],
      ["gguf", 32],
      ["hugging-face", 0],
    ],
  );
});

test("the checkpoint is held while it is read, and no longer; an export outlives it", async (t) => {
  const { blobs, before, exported, read } = await setUp(t);
  let held: readonly string[] = [];
  before.answer = async () => void (held = await checkpointHolders(blobs, checkpoint));
  const { name } = await exported();
  assert.deepEqual(held, [`export-${name.slice("exports/".length)}`]);
  assert.deepEqual(await checkpointHolders(blobs, checkpoint), []);
  for await (const { key } of blobs.list("experiments/tiny/checkpoints/")) await blobs.delete(key);
  assert.deepEqual(await read(name), content);
});

test("a failure leaves no export and no hold; asked again it is tried again", async (t) => {
  const { blobs, before, exported, exportKeys } = await setUp(t);
  before.answer = () => Promise.reject(new FailedPrecondition("EXPORT_NOT_EQUAL", "another model"));
  await assert.rejects(exported(), FailedPrecondition);
  assert.deepEqual([await exportKeys(), await checkpointHolders(blobs, checkpoint)], [["begun.json"], []]);
  before.answer = async () => undefined;
  assert.equal((await exported()).files.length, 1);
  assert.ok(!(await exportKeys()).includes("begun.json"));
});

test("of two processes that export at once the first one's files stay, the other's go", async (t) => {
  const { blobs, before, exported, exportKeys } = await setUp(t);
  const first = await exported();
  const manifest = `${first.name}/export.json`;
  const words = await blobs.read(manifest);
  await blobs.delete(manifest); // not there when the second one begins, and there when it ends
  before.answer = () => blobs.put(manifest, words);
  before.file = "fedcba9876543210.model.gguf";
  assert.deepEqual(await exported(), first);
  assert.deepEqual((await exportKeys()).sort(), ["0123456789abcdef.model.gguf", "export.json"]);
});

test("what a crash left is cleared away a day later, and not before; a finished export stays", async (t) => {
  const { blobs, exported, exportKeys, before, wait, now } = await setUp(t);
  const finished = await exported();
  before.answer = () => new Promise(() => undefined); // the process dies here
  void exported({ padHeadDim: 32 }).catch(() => undefined);
  while ((await checkpointHolders(blobs, checkpoint)).length === 0) await new Promise(setImmediate);
  const [begun = ""] = await Array.fromAsync(blobs.list("exports/"), ({ key }) => key).then((keys) =>
    keys.filter((key) => key.endsWith("begun.json")),
  );
  await blobs.put(begun.replace("begun.json", "feed.model.gguf"), content);
  wait(23 * 60 * 60_000);
  assert.equal(await sweepAbandonedExports(blobs, now()), 0);
  assert.equal((await checkpointHolders(blobs, checkpoint)).length, 1);
  wait(2 * 60 * 60_000);
  assert.equal(await sweepAbandonedExports(blobs, now()), 1);
  assert.deepEqual(await checkpointHolders(blobs, checkpoint), []);
  assert.deepEqual((await exportKeys()).sort(), ["0123456789abcdef.model.gguf", "export.json"]);
  assert.deepEqual(await exported(), finished);
});

test("an export that lacks a file, or whose own words are damaged, is written anew", async (t) => {
  const { blobs, exported, asked, read } = await setUp(t);
  const { name, files } = await exported();
  await blobs.delete(files[0]?.blob ?? "");
  assert.deepEqual((await exported()).name, name);
  const words = Buffer.from(await blobs.read(`${name}/export.json`)).toString();
  await blobs.put(
    `${name}/export.json`,
    Buffer.from(words.replace('"GGUF', '"HUGGING_FACE').replace("tiny/checkpoints/8", "tiny/checkpoints/9")),
  );
  await assert.rejects(read(name), DataLoss);
  assert.equal((await exported()).checkpoint, "experiments/tiny/checkpoints/8");
  assert.equal(asked.length, 3);
});

test("a file that was changed since is given out with an error at its end", async (t) => {
  const { blobs, exported, read } = await setUp(t);
  const { name, files } = await exported();
  await blobs.put(files[0]?.blob ?? "", Buffer.from("something else"));
  await assert.rejects(read(name), (error) => error instanceof DataLoss && error.reason === "DIGEST_MISMATCH");
});

test("no such checkpoint, export or file: not found, by name", async (t) => {
  const { exported, read } = await setUp(t);
  await assert.rejects(exported({ checkpoint: "experiments/tiny/checkpoints/9" }), NotFound);
  await assert.rejects(read("exports/none"), /there is no export exports\/none/);
  const { name } = await exported();
  await assert.rejects(read(name, "config.json"), /has no file config.json; it has model.gguf/);
});

test("a request id that was used for another export is refused, the same request is answered again", async (t) => {
  const { exported } = await setUp(t);
  const first = await exported({ requestId: "a" });
  assert.deepEqual(await exported({ requestId: "a" }), first);
  await assert.rejects(exported({ requestId: "a", padHeadDim: 32 }), AlreadyExists);
});

for (const [modelType, disableDb, isLlama] of [
  ["model_original", true, true],
  ["model", true, true],
  ["model", false, false],
  ["model_no_feed", true, false],
] as const) {
  test(`${modelType} with its memory ${disableDb ? "off" : "on"} is ${isLlama ? "a" : "no"} Llama`, () => {
    const expect = () => expectLlamaEquivalent({ modelType, disableDb });
    if (isLlama) expect();
    else assert.throws(expect, (error) => error instanceof FailedPrecondition && error.reason === "NO_EQUIVALENT");
  });
}
