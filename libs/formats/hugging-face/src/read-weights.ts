/**
 * Weights from a folder that anybody may have filled, in our names and order of rows, one tensor at a time.
 *
 *     layout          names                                  rows of queries and keys
 *     half_split      model.layers.0.self_attn.q_proj …      in two halves: put back into pairs
 *     interleaved     layers.0.attention.wq …                in pairs, as ours
 *
 * The first is Hugging Face's Llama, and MiniMind's since April 2025; the second is MiniMind's before. Every tensor of the model
 * must be there once, in its shape, and nothing else; an output matrix of its own is dropped when it is the embedding, bit for bit.
 */
import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { BlobStore } from "@pretrain/blobs";
import { DataLoss } from "@pretrain/errors";
import { decodeSafetensors, type StoredTensor } from "@pretrain/safetensors";
import { type LlamaParameter, type LlamaShape, llamaParameters, rowsInPairs } from "./llama-mapping.ts";
import { quoted, refused } from "./refused.ts";
import { decodeTorchFile } from "./torch-file.ts";
import type { WeightsFile, WeightsFolder } from "./weights-folder.ts";

export type Layout = "half_split" | "interleaved";

export interface ReadFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the very bytes that the weights were taken from; lower-case hex. */
  readonly sha256: string;
}

export interface ReadWeights {
  readonly layout: Layout;
  readonly files: readonly ReadFile[];
  /** What was changed or left out, for a person. */
  readonly notes: readonly string[];
}

/**
 * Holds one file and one tensor at a time.
 *
 * @param onTensor is given each parameter once: our name, and as many numbers as its shape has, our rows
 * @throws FailedPrecondition IMPORT_REFUSED naming file and tensor
 */
export async function readWeights(
  blobs: BlobStore,
  folder: WeightsFolder,
  shape: LlamaShape,
  onTensor: (name: string, data: Float32Array) => void,
): Promise<ReadWeights> {
  const reading = new Reading(shape, folder, onTensor);
  const files: ReadFile[] = [];
  for (const file of folder.weights) {
    const { bytes, sha256 } = await readWhole(blobs, file);
    files.push({ name: file.name, sizeBytes: bytes.length, sha256 });
    for (const [name, tensor] of tensorsOf(bytes, file)) {
      reading.take(name, tensor, file);
      await turn(); // others are served between two tensors
    }
  }
  return { ...reading.ended(), files };
}

async function readWhole(blobs: BlobStore, { key, sizeBytes }: WeightsFile) {
  const bytes = new Uint8Array(sizeBytes);
  const hash = createHash("sha256");
  let read = 0;
  for await (const piece of blobs.stream(key)) {
    if (read + piece.length > sizeBytes) throw refused(key, "grows while it is read");
    bytes.set(piece, read);
    read += piece.length;
    hash.update(piece);
  }
  if (read < sizeBytes) throw refused(key, "shrinks while it is read");
  return { bytes, sha256: hash.digest("hex") };
}

function tensorsOf(bytes: Uint8Array, { name, key }: WeightsFile): ReadonlyMap<string, StoredTensor> {
  if (!name.endsWith(".safetensors")) return decodeTorchFile(bytes, key);
  try {
    return decodeSafetensors(bytes, key).tensors;
  } catch (error) {
    if (error instanceof DataLoss) throw refused(key, error.message.slice(key.length + 2), error);
    throw error;
  }
}

const outputNames: readonly string[] = ["lm_head.weight", "output.weight"];

class Reading {
  readonly #shape: LlamaShape;
  readonly #folder: WeightsFolder;
  readonly #onTensor: (name: string, data: Float32Array) => void;
  readonly #parameters: readonly LlamaParameter[];
  readonly #taken = new Set<string>();
  readonly #widened = new Map<string, number>();
  #layout: Layout | undefined;
  #embedding: string | undefined;
  #output: { readonly name: string; readonly sha256: string } | undefined;

  constructor(shape: LlamaShape, folder: WeightsFolder, onTensor: (name: string, data: Float32Array) => void) {
    this.#shape = shape;
    this.#folder = folder;
    this.#onTensor = onTensor;
    this.#parameters = llamaParameters(shape);
  }

  take(name: string, tensor: StoredTensor, { name: file, key }: WeightsFile): void {
    const listed = this.#folder.fileOf?.get(name);
    if (this.#folder.fileOf !== undefined && listed !== file) {
      throw refused(
        key,
        `holds ${quoted(name)}, which the list of shards has ${listed ? `in ${quoted(listed)}` : "nowhere"}`,
      );
    }
    if (this.#taken.has(name)) throw refused(key, `holds ${quoted(name)}, which was in a file before`);
    this.#taken.add(name);
    if (outputNames.includes(name)) return this.#takeOutput(name, tensor, key);
    const parameter = this.#parameterNamed(name, key);
    expectShape(name, tensor, parameter.shape, key);
    const data = this.#widen(name, tensor, key);
    if (parameter.ours === "tok_embeddings.weight") this.#embedding = digestOf(data);
    const { rotaryHeads, shape } = parameter;
    const isOrdered = rotaryHeads === undefined || this.#layout === "interleaved";
    this.#onTensor(parameter.ours, isOrdered ? data : rowsInPairs(data, rotaryHeads, shape[1] ?? 1));
  }

  ended(): Omit<ReadWeights, "files"> {
    const { source } = this.#folder;
    const layout = this.#layout;
    if (layout === undefined) throw refused(source, "holds no tensor of the model");
    const missing = this.#parameters.map((each) => nameIn(layout, each)).filter((name) => !this.#taken.has(name));
    if (missing[0] !== undefined)
      throw refused(source, `lacks ${missing.length} tensors of the model, first ${missing[0]}`);
    if (this.#output !== undefined && this.#output.sha256 !== this.#embedding) {
      const expected = "this project's models have one matrix for both: train with tied embeddings";
      throw refused(source, `${this.#output.name} is not the embedding; ${expected}`);
    }
    return { layout, notes: this.#notes() };
  }

  #notes(): string[] {
    const widened = [...this.#widened].map(([dtype, count]) => `${count} tensors widened from ${dtype} to F32`);
    return this.#output === undefined ? widened : [...widened, `${this.#output.name} left out: it is the embedding`];
  }

  #takeOutput(name: string, tensor: StoredTensor, key: string): void {
    expectShape(name, tensor, [this.#shape.vocabularySize, this.#shape.dim], key);
    this.#output = { name, sha256: digestOf(this.#widen(name, tensor, key)) };
  }

  /** The layout is the first tensor's; one of the other layout is none of the model's then. */
  #parameterNamed(name: string, key: string): LlamaParameter {
    this.#layout ??= this.#parameters.some(({ ours }) => ours === name) ? "interleaved" : "half_split";
    const layout = this.#layout;
    const found = this.#parameters.find((each) => nameIn(layout, each) === name);
    if (found !== undefined) return found;
    if (/\.[qk]_norm\./.test(name)) {
      throw refused(
        key,
        `holds ${quoted(name)}: norms of queries and keys (MiniMind since March 2026, Qwen3) are not computed here`,
      );
    }
    throw refused(
      key,
      `holds ${quoted(name)}, which is no tensor of a Llama of ${this.#shape.layers} layers without biases`,
    );
  }

  #widen(name: string, { dtype, data }: StoredTensor, key: string): Float32Array {
    if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") {
      throw refused(key, `${quoted(name)} is ${dtype}; F32, F16 or BF16 is expected`);
    }
    if (dtype !== "F32") this.#widened.set(dtype, (this.#widened.get(dtype) ?? 0) + 1);
    // A copy of its own: a view would keep the whole file in memory.
    const numbers = dtype === "BF16" ? fromUpperHalves(data) : new Float32Array(data);
    if (numbers.every(Number.isFinite)) return numbers;
    throw refused(
      key,
      `${quoted(name)} holds ${numbers.find((each) => !Number.isFinite(each))}; finite numbers are expected`,
    );
  }
}

function nameIn(layout: Layout, { ours, theirs }: LlamaParameter): string {
  return layout === "interleaved" ? ours : theirs;
}

/** Exact: a bfloat16 is a float32 whose lower half is zero. */
function fromUpperHalves(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i += 1) bits[i] = (halves[i] ?? 0) << 16; // `from` with a function takes ten times as long
  return new Float32Array(bits.buffer);
}

function expectShape(name: string, { shape }: StoredTensor, expected: readonly number[], key: string): void {
  if (shape.join() === expected.join()) return;
  throw refused(key, `${quoted(name)} is [${shape.join(", ")}]; [${expected.join(", ")}] is expected of this model`);
}

function digestOf(data: Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}
