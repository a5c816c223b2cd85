/** A file of torch.save with a model's weights: an archive of one pickle, which says what there is, and one file for each storage. */
import type { StoredTensor } from "@pretrain/safetensors";
import { quoted, refused } from "./refused.ts";
import { stateDictionary, type TorchTensor } from "./state-dictionary.ts";
import { zipEntries } from "./zip-entries.ts";

/** A line of a dictionary takes some 200 bytes: enough for 20,000 tensors. */
const pickleLimitBytes = 4 * 2 ** 20;

/** @returns views of `bytes` where their alignment allows   @throws FailedPrecondition IMPORT_REFUSED naming tensor and fault */
export function decodeTorchFile(bytes: Uint8Array, file: string): ReadonlyMap<string, StoredTensor> {
  const entries = zipEntries(bytes, file);
  const [pickleName, ...others] = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickleName === undefined || others.length > 0)
    throw refused(file, "is no archive of torch.save: it holds no single data.pkl");
  const folder = pickleName.slice(0, -"data.pkl".length);
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder !== undefined && new TextDecoder().decode(byteOrder) !== "little") {
    throw refused(file, "was saved in another byte order than little-endian");
  }
  const pickle = entries.get(pickleName) ?? new Uint8Array();
  if (pickle.length > pickleLimitBytes)
    throw refused(file, `has a pickle of ${pickle.length} bytes; the limit is ${pickleLimitBytes}`);
  const tensors = [...stateDictionary(pickle, file)].map(([name, tensor]) => {
    const storage = entries.get(`${folder}data/${tensor.storage.key}`);
    return [name, storedTensor(tensor, storage, (fault) => refused(file, `${quoted(name)} ${fault}`))] as const;
  });
  return new Map(tensors);
}

function storedTensor(
  { storage: { dtype, key, count }, offset, shape, strides }: TorchTensor,
  storage: Uint8Array | undefined,
  refusal: (fault: string) => Error,
): StoredTensor {
  const sizeBytes = dtype === "F32" ? 4 : 2;
  if (storage?.length !== count * sizeBytes) {
    throw refusal(
      `has ${storage?.length ?? "no"} bytes in its storage ${quoted(key)}; ${count} numbers of ${dtype} are expected`,
    );
  }
  const elements = shape.reduce((product, length) => product * length, 1);
  if (!isRowMajor(shape, strides)) throw refusal("is a view with other strides than its rows; save it contiguous");
  if (!(offset + elements <= count))
    throw refusal(`needs ${elements} numbers from ${offset} on; its storage has ${count}`);
  const part = storage.subarray(offset * sizeBytes, (offset + elements) * sizeBytes);
  const { buffer, byteOffset } = part.byteOffset % sizeBytes === 0 ? part : new Uint8Array(part);
  if (dtype === "F32") return { dtype, shape, data: new Float32Array(buffer, byteOffset, elements) };
  if (dtype === "F16") return { dtype, shape, data: new Float16Array(buffer, byteOffset, elements) };
  return { dtype, shape, data: new Uint16Array(buffer, byteOffset, elements) };
}

/** Where a length is 1 its stride says nothing. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const length = shape[axis] ?? 0;
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}
