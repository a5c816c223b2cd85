/** Test support: files as torch.save writes them, as small as they can be. */
import { crc32 } from "node:zlib";

/** An archive of stored files, as small as one can be. */
export function archive(files: Readonly<Record<string, Uint8Array>>, method = 0): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const local = Buffer.alloc(30 + name.length);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.write(name, 30);
    const entry = Buffer.alloc(46 + name.length);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc32(content), 16);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    entry.write(name, 46);
    parts.push(local, Buffer.from(content));
    directory.push(entry);
    offset += local.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

export const text = (word: string) => `X${String.fromCharCode(word.length)}\0\0\0${word}`;
/** `{"w": tensor}` of so many numbers in its storage, from an offset, of a shape with strides. */
export const tensorPickle = ({
  type = "FloatStorage",
  count = 4,
  offset = 0,
  shape = [2, 2],
  strides = [2, 1],
} = {}) => {
  const numbers = (all: readonly number[]) => `(${all.map((each) => `K${String.fromCharCode(each)}`).join("")}t`;
  const storage = `(${text("storage")}ctorch\n${type}\n${text("0")}${text("cpu")}K${String.fromCharCode(count)}tQ`;
  const rest = `K${String.fromCharCode(offset)}${numbers(shape)}${numbers(strides)}\x89N`;
  return `\x80\x02}${text("w")}ctorch._utils\n_rebuild_tensor_v2\n(${storage}${rest}tRs.`;
};
