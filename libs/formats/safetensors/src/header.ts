/** The header of a safetensors file: from bytes that nobody vouches for to a list in the order of the file. */
import { headerLimitBytes, lengthBytes, metadataKey } from "./format.ts";
import { arrayTypes, type Dtype, elementCount, elementSizeBytes, isDtype } from "./stored-tensor.ts";

export interface HeaderEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte and the one behind the last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** By offset; a tensor without elements before the one that begins where it stands. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataOffset: number;
}

/** Throws the error of the file that is being read. */
export type Refuse = (fault: string, cause?: unknown) => never;

export function parseHeader(bytes: Uint8Array, refuse: Refuse): Header {
  const length = headerLength(bytes, refuse);
  const text = utf8(bytes.subarray(lengthBytes, lengthBytes + length), refuse);
  const members = jsonObject(text, refuse);
  const { [metadataKey]: metadataValue = {}, ...tensors } = members;
  const metadata = metadataOf(metadataValue, refuse);
  const entries = Object.entries(tensors).map(([name, value]) => entryOf(name, value, refuse));
  const keysLeft = 4 * entries.length + Object.keys(metadata).length + Number(Object.hasOwn(members, metadataKey));
  checkNoKeyTwice(text, keysLeft, refuse);
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  return { entries, metadata, dataOffset: lengthBytes + length };
}

function headerLength(bytes: Uint8Array, refuse: Refuse): number {
  if (bytes.length < lengthBytes) return refuse(`${bytes.length} bytes, too few for the length of a header`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > headerLimitBytes) return refuse(`a header of ${length} bytes; the limit is ${headerLimitBytes}`);
  const present = bytes.length - lengthBytes;
  if (length > present) return refuse(`a header of ${length} bytes in a file that holds ${present} more`);
  return Number(length);
}

function utf8(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return refuse("its header is not UTF-8", error);
  }
}

/** The object that `text` is. The format wants `{` as the first byte. */
function jsonObject(text: string, refuse: Refuse): Record<string, unknown> {
  if (!text.startsWith("{")) return refuse("its header does not begin with {");
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : refuse("its header is not a JSON object");
  } catch (error) {
    return refuse("its header is not JSON", error);
  }
}

function metadataOf(value: unknown, refuse: Refuse): Record<string, string> {
  if (!isObject(value)) return refuse(`${metadataKey} is not an object`);
  const members = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== "string") return refuse(`${metadataKey}: ${shown(key)} is not a string`);
    return [key, text];
  });
  return Object.fromEntries(members);
}

function entryOf(name: string, value: unknown, refuse: Refuse): HeaderEntry {
  if (!isObject(value)) return refuse(`${shown(name)} is not an object`);
  const { dtype, shape, data_offsets: offsets, ...unknown } = value;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) return refuse(`${shown(name)} has the unknown field ${shown(surplus)}`);
  if (!isDtype(dtype))
    return refuse(`${shown(name)} has no known dtype; known are ${Object.keys(arrayTypes).join(", ")}`);
  if (!isCounts(shape)) return refuse(`the shape of ${shown(name)} is not a list of counts`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse(`the data_offsets of ${shown(name)} are not two offsets`);
  const [begin = 0, end = 0] = offsets;
  const sizeBytes = elementCount(shape) * elementSizeBytes(dtype); // NaN, equal to nothing, when beyond exact integers
  if (end - begin !== sizeBytes) {
    return refuse(`${shown(name)} has ${end - begin} bytes, its shape and dtype ask for ${sizeBytes}`);
  }
  return { name, dtype, shape, begin, end };
}

/**
 * JSON.parse keeps the last of two equal keys without a word, so the keys that are left (each entry has exactly three,
 * as its check made sure) are compared with those written: in valid JSON a string is a key exactly when a colon follows.
 */
function checkNoKeyTwice(text: string, keysLeft: number, refuse: Refuse): void {
  const written = text.matchAll(/"(?:[^"\\]+|\\.)*"\s*(:?)/g).filter(([, colon]) => colon === ":");
  if (written.reduce((count) => count + 1, 0) !== keysLeft) refuse("a key stands twice in its header");
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A name from the file, fit for a message: quoted, its control characters escaped, of bounded length. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
