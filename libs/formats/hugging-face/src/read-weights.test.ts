/** Folders that others fill: the same weights from every layout and precision, and what is refused, by file and tensor. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BlobStore, openBlobs, sha256Hex } from "@pretrain/blobs";
import { FailedPrecondition, NotFound } from "@pretrain/errors";
import { encodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { type LlamaShape, llamaParameters } from "./llama-mapping.ts";
import { toLlamaTensors } from "./llama-weights.ts";
import { readWeights } from "./read-weights.ts";
import { weightsFolder } from "./weights-folder.ts";

const shape: LlamaShape = {
  vocabularySize: 10,
  dim: 8,
  layers: 1,
  heads: 2,
  keyValueHeads: 1,
  headDim: 4,
  hiddenDim: 12,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxSequenceLength: 16,
};
const torch = (name: string) => readFileSync(new URL(`../../../../testdata/torch/${name}`, import.meta.url));
/** In our names and order of rows, as PyTorch had them in memory; eighths, exact in every precision. */
const weights = new Map<string, Float32Array>(
  Object.entries(JSON.parse(torch("expected.json").toString()).weights as Record<string, number[]>).map(
    ([name, numbers]) => [name, Float32Array.from(numbers)] as const,
  ),
);
const embedding = weights.get("tok_embeddings.weight") ?? assert.fail();

type Tensors = Map<string, StoredTensor>;
const halves = (): Tensors => new Map(toLlamaTensors(weights, shape));
const pairs = (): Tensors =>
  new Map(llamaParameters(shape).map((each) => [each.ours, f32(each.shape, weights.get(each.ours) ?? assert.fail())]));
const f32 = (lengths: readonly number[], data: Float32Array): StoredTensor => ({ dtype: "F32", shape: lengths, data });
const fileOf = (tensors: Tensors, metadata = { format: "pt" }) =>
  Buffer.concat([...encodeSafetensors(tensors, metadata)]);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

async function folderWith(t: TestScope, files: Readonly<Record<string, Uint8Array>>): Promise<BlobStore> {
  const blobs = openBlobs(pathToFileURL(temporaryDirectory(t)).href);
  for (const [name, bytes] of Object.entries(files)) await blobs.put(`imports/a/${name}`, bytes);
  return blobs;
}

async function read(t: TestScope, files: Readonly<Record<string, Uint8Array>>) {
  const blobs = await folderWith(t, files);
  const found = new Map<string, Float32Array>();
  const take = (name: string, data: Float32Array) => void found.set(name, data);
  return { ...(await readWeights(blobs, await weightsFolder(blobs, "imports/a"), shape, take)), found };
}

/** The fault without the file's name. */
async function faultOf(t: TestScope, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const fault = await read(t, files).then(
    () => assert.fail("it was read"),
    (error: unknown) => error,
  );
  assert.ok(fault instanceof FailedPrecondition, String(fault));
  return fault.message;
}

const upperHalf = (tensor: StoredTensor): StoredTensor => {
  const numbers = Float32Array.from(tensor.data as Float32Array);
  return {
    dtype: "BF16",
    shape: tensor.shape,
    data: Uint16Array.from(new Uint32Array(numbers.buffer), (bits) => bits >>> 16),
  };
};
const half = (tensor: StoredTensor): StoredTensor => ({
  dtype: "F16",
  shape: tensor.shape,
  data: Float16Array.from(tensor.data as Float32Array),
});
const eachAs = (tensors: Tensors, as: (tensor: StoredTensor) => StoredTensor) =>
  new Map([...tensors].map(([name, tensor]) => [name, as(tensor)]));

for (const [claim, files, layout, notes] of [
  ["Hugging Face's names, rows in halves", { "model.safetensors": fileOf(halves()) }, "half_split", []],
  ["our names, rows in pairs", { "any.safetensors": fileOf(pairs()) }, "interleaved", []],
  [
    "bfloat16, widened",
    { "model.safetensors": fileOf(eachAs(halves(), upperHalf)) },
    "half_split",
    ["11 tensors widened from BF16 to F32"],
  ],
  [
    "float16, widened",
    { "model.safetensors": fileOf(eachAs(pairs(), half)) },
    "interleaved",
    ["11 tensors widened from F16 to F32"],
  ],
  [
    "an output matrix that is the embedding",
    { "model.safetensors": fileOf(halves().set("lm_head.weight", f32([10, 8], embedding))) },
    "half_split",
    ["lm_head.weight left out: it is the embedding"],
  ],
  [
    "MiniMind's first names in a .pth",
    { "pretrain_512.pth": torch("interleaved.pth") },
    "interleaved",
    ["output.weight left out: it is the embedding"],
  ],
  [
    "its later names, in half precision",
    { "pretrain.pth": torch("half_split.pth") },
    "half_split",
    ["12 tensors widened from F16 to F32", "lm_head.weight left out: it is the embedding"],
  ],
  [
    "parameters in bfloat16 by pickle protocol 4",
    { "pytorch_model.bin": torch("bfloat16.pth") },
    "interleaved",
    ["12 tensors widened from BF16 to F32", "output.weight left out: it is the embedding"],
  ],
] as const) {
  // biome-ignore format: a table
  test(`${claim}: the same weights, bit for bit`, async (t) => {
    const result = await read(t, files);
    assert.deepEqual(result.found.size, 11);
    for (const [name, numbers] of weights) assert.deepEqual(result.found.get(name), numbers, name);
    assert.deepEqual([result.layout, result.notes], [layout, notes]);
    const [[name, bytes] = assert.fail()] = Object.entries(files);
    assert.deepEqual(result.files, [{ name, sizeBytes: bytes.length, sha256: sha256Hex(bytes) }]);
  });
}

test("shards are read by their list, each tensor from the file that it names", async (t) => {
  const all = [...halves()];
  const [first, second] = [new Map(all.slice(0, 5)), new Map(all.slice(5))];
  const index = (fileNamed: (name: string) => string) =>
    json({ weight_map: Object.fromEntries(all.map(([name]) => [name, fileNamed(name)])) });
  const files = {
    "a.safetensors": fileOf(first),
    "b.safetensors": fileOf(second),
    "stray.safetensors": fileOf(pairs()),
  };
  const list = "model.safetensors.index.json";
  const { found, files: readFiles } = await read(t, {
    ...files,
    [list]: index((name) => (first.has(name) ? "a.safetensors" : "b.safetensors")),
  });
  assert.deepEqual([found, readFiles.length], [new Map(weights), 2]);
  assert.match(await faultOf(t, { ...files, [list]: index(() => "a.safetensors") }), /lacks 6 tensors of the model/);
  const swapped = index((name) => (first.has(name) ? "b.safetensors" : "a.safetensors"));
  assert.match(await faultOf(t, { ...files, [list]: swapped }), /which the list of shards has in "b.safetensors"/);
  assert.match(
    await faultOf(t, { ...files, [list]: index(() => "c.safetensors") }),
    /"c.safetensors", which is not in the folder/,
  );
  assert.match(
    await faultOf(t, { ...files, [list]: index(() => "../x.safetensors") }),
    /a .safetensors of the folder is expected/,
  );
  assert.match(await faultOf(t, { ...files, [list]: json({ weight_map: 1 }) }), /has no weight_map/);
  assert.match(await faultOf(t, { ...files, [list]: Buffer.from("{") }), /is not JSON/);
});

const layerNorm = "model.layers.0.self_attn.q_norm.weight";
const other = embedding.map((number, i) => (i === 79 ? number + 0.125 : number));
for (const [claim, tensors, fault] of [
  ["another output matrix", halves().set("lm_head.weight", f32([10, 8], other)), /lm_head.weight is not the embedding/],
  [
    "norms of queries and keys",
    halves().set(layerNorm, f32([4], new Float32Array(4))),
    /q_norm.weight": norms of queries and keys/,
  ],
  [
    "a bias",
    halves().set("model.layers.0.self_attn.q_proj.bias", f32([8], new Float32Array(8))),
    /q_proj.bias", which is no tensor/,
  ],
  [
    "a second layer",
    halves().set("model.layers.1.input_layernorm.weight", f32([8], new Float32Array(8))),
    /no tensor of a Llama of 1 layers/,
  ],
  [
    "names of both layouts",
    halves().set("norm.weight", f32([8], new Float32Array(8))),
    /"norm.weight", which is no tensor/,
  ],
  [
    "a missing tensor",
    without("model.layers.0.mlp.up_proj.weight"),
    /lacks 1 tensors of the model, first model.layers.0.mlp.up_proj.weight/,
  ],
  [
    "another shape",
    halves().set("model.norm.weight", f32([4], new Float32Array(4))),
    /"model.norm.weight" is \[4\]; \[8\] is expected/,
  ],
  [
    "a transposed matrix",
    halves().set("model.layers.0.mlp.up_proj.weight", f32([8, 12], new Float32Array(96))),
    /is \[8, 12\]; \[12, 8\]/,
  ],
  [
    "wider numbers",
    halves().set("model.norm.weight", { dtype: "F64", shape: [8], data: new Float64Array(8) }),
    /is F64; F32, F16 or BF16 is expected/,
  ],
  [
    "a number that is none",
    halves().set("model.norm.weight", f32([8], new Float32Array(8).fill(Number.NaN, 7))),
    /"model.norm.weight" holds NaN/,
  ],
  [
    "an infinite bfloat16",
    halves().set("model.norm.weight", { dtype: "BF16", shape: [8], data: new Uint16Array(8).fill(0x7f80) }),
    /holds Infinity/,
  ],
  ["no tensor at all", new Map(), /holds no tensor of the model/],
] as const) {
  // biome-ignore format: a table
  test(`${claim}: refused by name`, async (t) => assert.match(await faultOf(t, { "model.safetensors": fileOf(tensors) }), fault));
}

function without(name: string): Tensors {
  const tensors = halves();
  assert.ok(tensors.delete(name));
  return tensors;
}

test("a folder that was exported is read by its list of files, and not before it is whole", async (t) => {
  const blobs = await folderWith(t, {});
  const prefix = "exports/a-8-hf";
  await blobs.put(`${prefix}/0123.model.safetensors`, fileOf(halves()));
  await assert.rejects(weightsFolder(blobs, prefix), NotFound);
  const listed = (blob: string) => json({ export: { files: [{ name: "model.safetensors", blob }] } });
  await blobs.put(`${prefix}/export.json`, listed(`${prefix}/0123.model.safetensors`));
  const [file] = (await weightsFolder(blobs, prefix)).weights;
  assert.deepEqual([file?.name, file?.key], ["model.safetensors", `${prefix}/0123.model.safetensors`]);
  await blobs.put("imports/a/model.safetensors", fileOf(halves()));
  await blobs.put(`${prefix}/export.json`, listed("imports/a/model.safetensors"));
  await assert.rejects(weightsFolder(blobs, prefix), FailedPrecondition);
});

test("which file to read must be said, and it must be whole", async (t) => {
  await assert.rejects(read(t, {}), NotFound);
  await assert.rejects(read(t, { "deep/model.safetensors": fileOf(halves()) }), NotFound);
  assert.match(await faultOf(t, { "readme.md": Buffer.from("hello") }), /holds no weights; model.safetensors, /);
  assert.match(
    await faultOf(t, { "a.pth": torch("interleaved.pth"), "b.pth": torch("half_split.pth") }),
    /"a.pth", "b.pth"; /,
  );
  assert.match(
    await faultOf(t, { "model.safetensors": fileOf(halves()).subarray(0, 900) }),
    /imports\/a\/model.safetensors: /,
  );
});
