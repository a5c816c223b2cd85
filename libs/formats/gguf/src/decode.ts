/** Reads a GGUF file that may come from anywhere: every byte of it is accounted for, or it is refused. */
import { DataLoss } from "@pretrain/errors";
import { ByteCursor, type Refuse } from "./byte-cursor.ts";
import {
  aligned,
  alignment,
  float32Type,
  type GgufContent,
  type GgufTensor,
  type GgufValue,
  itemsLimit,
  magic,
  mostLengths,
  typeNumbers,
  version,
} from "./format.ts";

/**
 * Values and tensors of a file, in its order; tensors are views of `bytes` where its alignment allows, copies elsewhere.
 *
 * @param name of the file, for the errors
 * @throws DataLoss `GGUF_INVALID`, naming the fault: another version, a type that is not read, a name twice, offsets that overlap or leave a
 *   hole, bytes that belong to nothing
 */
export function decodeGguf(bytes: Uint8Array, name: string): GgufContent {
  const refuse: Refuse = (fault) => {
    throw new DataLoss("GGUF_INVALID", `${name}: ${fault}`, { file: name });
  };
  const cursor = new ByteCursor(bytes, refuse);
  const found = new TextDecoder("latin1").decode(cursor.take(4, "its first four bytes"));
  if (found !== magic) refuse(`it begins with ${JSON.stringify(found)}, not with ${magic}`);
  const foundVersion = cursor.uint32("the version");
  if (foundVersion !== version) refuse(`version ${foundVersion}; ${version} is read`);
  const tensorCount = cursor.count("the number of tensors", itemsLimit);
  const valueCount = cursor.count("the number of values", itemsLimit);
  const values = namedOnce(valueCount, cursor, refuse, (key) => readValue(key, cursor, refuse));
  const stated = values.get("general.alignment");
  if (stated !== undefined && stated.value !== alignment)
    refuse(`general.alignment is ${JSON.stringify(stated.value)}; ${alignment} is read`);
  const infos = namedOnce(tensorCount, cursor, refuse, (tensor) => readInfo(tensor, cursor, refuse));
  return { values, tensors: tensorsOf(bytes, aligned(cursor.offset), infos, refuse) };
}

/** What follows each of `count` names. */
function namedOnce<T>(count: number, cursor: ByteCursor, refuse: Refuse, read: (name: string) => T): Map<string, T> {
  const found = new Map<string, T>();
  for (let index = 0; index < count; index += 1) {
    const name = cursor.text("a name");
    if (found.has(name)) refuse(`${JSON.stringify(name.slice(0, 80))} stands twice in it`);
    found.set(name, read(name));
  }
  return found;
}

function readValue(key: string, cursor: ByteCursor, refuse: Refuse): GgufValue {
  const shown = JSON.stringify(key.slice(0, 80));
  const type = cursor.uint32(`the type of ${shown}`);
  switch (type) {
    case typeNumbers.uint32:
      return { type: "uint32", value: cursor.uint32(shown) };
    case typeNumbers.float32:
      return { type: "float32", value: cursor.float32(shown) };
    case typeNumbers.bool:
      return { type: "bool", value: cursor.take(1, shown)[0] === 1 };
    case typeNumbers.string:
      return { type: "string", value: cursor.text(shown) };
    case typeNumbers.array:
      return readArray(shown, cursor, refuse);
    default:
      return refuse(`${shown} is of type ${type}, which is not read`);
  }
}

function readArray(shown: string, cursor: ByteCursor, refuse: Refuse): GgufValue {
  const type = cursor.uint32(`the type of ${shown}`);
  const count = cursor.count(`the length of ${shown}`, itemsLimit);
  if (type === typeNumbers.string)
    return { type: "strings", value: Array.from({ length: count }, () => cursor.text(shown)) };
  if (type === typeNumbers.int32)
    return { type: "int32s", value: Array.from({ length: count }, () => cursor.int32(shown)) };
  return refuse(`${shown} is a list of type ${type}, which is not read`);
}

interface TensorInfo {
  readonly shape: readonly number[];
  readonly offset: number;
}

function readInfo(name: string, cursor: ByteCursor, refuse: Refuse): TensorInfo {
  const shown = JSON.stringify(name.slice(0, 80));
  const lengths = cursor.uint32(`the number of lengths of ${shown}`);
  if (lengths < 1 || lengths > mostLengths) refuse(`${shown} has ${lengths} lengths; 1 to ${mostLengths} are read`);
  const innermostFirst = Array.from({ length: lengths }, () => cursor.count(`a length of ${shown}`, 2 ** 40));
  const type = cursor.uint32(`the type of ${shown}`);
  if (type !== float32Type) refuse(`${shown} has elements of type ${type}; only ${float32Type}, float32, is read`);
  const offset = cursor.count(`the offset of ${shown}`, Number.MAX_SAFE_INTEGER);
  return { shape: innermostFirst.reverse(), offset };
}

/** End to end but for padding: each tensor begins at the first place behind the one before it, the last one ends with the file. */
function tensorsOf(
  bytes: Uint8Array,
  dataBegin: number,
  infos: ReadonlyMap<string, TensorInfo>,
  refuse: Refuse,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  let next = 0;
  for (const [name, { shape, offset }] of infos) {
    const shown = JSON.stringify(name.slice(0, 80));
    if (offset !== next) refuse(`${shown} begins at ${offset}, ${next} is where the tensor before it leaves off`);
    const sizeBytes = 4 * shape.reduce((product, length) => product * length, 1);
    const begin = dataBegin + offset;
    if (sizeBytes > bytes.length - begin)
      refuse(`${shown} of ${sizeBytes} bytes begins at ${begin}, behind which there are fewer`);
    tensors.set(name, { shape, data: float32At(bytes, begin, sizeBytes) });
    next = aligned(offset + sizeBytes);
  }
  const end = dataBegin + next;
  if (bytes.length !== end) refuse(`it has ${bytes.length} bytes, its tensors end at ${end}`);
  return tensors;
}

function float32At(bytes: Uint8Array, begin: number, sizeBytes: number): Float32Array {
  const part = bytes.subarray(begin, begin + sizeBytes);
  const whole = part.byteOffset % 4 === 0 ? part : new Uint8Array(part); // a copy begins at 0
  return new Float32Array(whole.buffer, whole.byteOffset, sizeBytes / 4);
}
