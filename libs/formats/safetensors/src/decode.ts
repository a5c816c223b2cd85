/** Reads a safetensors file that may come from anywhere: every byte of it is accounted for, or it is refused. */
import { DataLoss } from "@pretrain/errors";
import { type HeaderEntry, parseHeader, shown } from "./header.ts";
import { arrayTypes, type StoredTensor } from "./stored-tensor.ts";

export interface SafetensorsContent {
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The tensors of a file: views of `bytes` where its alignment allows, copies elsewhere.
 *
 * @param name of the file, for the errors
 * @throws DataLoss `SAFETENSORS_INVALID`, naming the fault: a header that is no such JSON, is above 1 MiB, has a key
 *   twice or an unknown one; an unknown dtype; offsets that overlap, leave a hole or disagree with shape or file size
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorsContent {
  const refuse = (fault: string, cause?: unknown): never => {
    throw new DataLoss("SAFETENSORS_INVALID", `${name}: ${fault}`, { file: name }, { cause });
  };
  const { entries, metadata, dataOffset } = parseHeader(bytes, refuse);
  checkNoHoles(entries, bytes.length - dataOffset, refuse);
  const tensors = entries.map((entry) => [entry.name, tensorAt(bytes, dataOffset, entry)] as const);
  return { tensors: new Map(tensors), metadata };
}

/** End to end: each tensor begins where the one before it ends, the last one ends with the file. */
function checkNoHoles(entries: readonly HeaderEntry[], dataBytes: number, refuse: (fault: string) => never): void {
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end)
      refuse(`${shown(entry.name)} begins at ${entry.begin}, the tensor before it ends at ${end}`);
    end = entry.end;
  }
  if (end !== dataBytes) refuse(`its tensors take ${end} bytes, ${dataBytes} follow the header`);
}

function tensorAt(bytes: Uint8Array, dataOffset: number, { dtype, shape, begin, end }: HeaderEntry): StoredTensor {
  const part = bytes.subarray(dataOffset + begin, dataOffset + end);
  const elementSize = arrayTypes[dtype].BYTES_PER_ELEMENT;
  const aligned = part.byteOffset % elementSize === 0 ? part : new Uint8Array(part); // a copy begins at 0
  const where = [aligned.buffer, aligned.byteOffset, aligned.byteLength / elementSize] as const;
  // One case for each type: only so does the compiler see that dtype and array belong together.
  switch (dtype) {
    case "F64":
      return { dtype, shape, data: new Float64Array(...where) };
    case "F32":
      return { dtype, shape, data: new Float32Array(...where) };
    case "I64":
      return { dtype, shape, data: new BigInt64Array(...where) };
    case "I32":
      return { dtype, shape, data: new Int32Array(...where) };
    case "F16":
      return { dtype, shape, data: new Float16Array(...where) };
    case "BF16":
      return { dtype, shape, data: new Uint16Array(...where) };
    case "U8":
      return { dtype, shape, data: new Uint8Array(...where) };
  }
}
