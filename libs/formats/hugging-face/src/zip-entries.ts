/**
 * The files in a ZIP archive that stores them as they are, which is how PyTorch saves. Found by the directory at its end:
 *
 *     … │ header, data │ header, data │ directory │ (64-bit end, locator) │ end
 *
 * Layout: PKWARE's APPNOTE.TXT, 4.3. Nothing is decompressed, so that no archive is larger inside than outside.
 */
import { crc32 } from "node:zlib";
import { quoted, refused } from "./refused.ts";

const signatures = {
  local: 0x04034b50,
  directory: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
};
const sizes = { local: 30, directory: 46, end: 22, end64: 56, locator: 20 };
/** The end may have a comment behind it. */
const commentLimitBytes = 0xffff;
const entriesLimit = 100_000;

/** @param file for the errors   @returns views of `bytes`   @throws FailedPrecondition IMPORT_REFUSED */
export function zipEntries(bytes: Uint8Array, file: string): ReadonlyMap<string, Uint8Array> {
  const archive = new Archive(bytes, file);
  const { count, offset } = directoryOf(archive);
  if (count > entriesLimit) throw refused(file, `holds ${count} files; the limit is ${entriesLimit}`);
  const entries = new Map<string, Uint8Array>();
  let at = offset;
  for (let i = 0; i < count; i += 1) {
    archive.expect(at, "directory");
    const name = archive.text(at + sizes.directory, archive.u16(at + 28));
    if (entries.has(name)) throw refused(file, `holds ${quoted(name)} twice`);
    entries.set(name, contentOf(archive, at, name));
    at += sizes.directory + archive.u16(at + 28) + archive.u16(at + 30) + archive.u16(at + 32);
  }
  return entries;
}

/** Every read is inside the file, or the file is refused. */
class Archive {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, file: string) {
    this.bytes = bytes;
    this.file = file;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#inside(at, 2), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#inside(at, 4), true);
  }

  u64(at: number): number {
    const value = Number(this.#view.getBigUint64(this.#inside(at, 8), true));
    return Number.isSafeInteger(value) ? value : this.#inside(value, 1);
  }

  text(at: number, length: number): string {
    return new TextDecoder().decode(this.part(at, length));
  }

  part(at: number, length: number): Uint8Array {
    return this.bytes.subarray(this.#inside(at, length), at + length);
  }

  is(at: number, kind: keyof typeof signatures): boolean {
    return at >= 0 && at + sizes[kind] <= this.bytes.length && this.u32(at) === signatures[kind];
  }

  expect(at: number, kind: keyof typeof signatures): void {
    if (!this.is(at, kind))
      throw refused(this.file, `has no ${kind} record at byte ${at}, where its directory has one`);
  }

  #inside(at: number, length: number): number {
    if (at >= 0 && at + length <= this.bytes.length) return at;
    throw refused(this.file, `is cut or damaged: it speaks of bytes from ${at} on, and has ${this.bytes.length}`);
  }
}

function directoryOf(archive: Archive): { readonly count: number; readonly offset: number } {
  const last = archive.bytes.length - sizes.end;
  for (let at = last; at >= Math.max(0, last - commentLimitBytes); at -= 1) {
    if (!archive.is(at, "end")) continue;
    const locator = at - sizes.locator;
    if (!archive.is(locator, "locator")) return { count: archive.u16(at + 10), offset: archive.u32(at + 16) };
    const end = archive.u64(locator + 8);
    archive.expect(end, "end64");
    return { count: archive.u64(end + 32), offset: archive.u64(end + 48) };
  }
  throw refused(archive.file, "is no ZIP archive; a file of torch.save is expected, not one of before PyTorch 1.6");
}

function contentOf(archive: Archive, at: number, name: string): Uint8Array {
  if ((archive.u16(at + 8) & 1) === 1) throw refused(archive.file, `${quoted(name)} is encrypted`);
  if (archive.u16(at + 10) !== 0) throw refused(archive.file, `${quoted(name)} is compressed; PyTorch stores as it is`);
  const { size, offset } = placeOf(archive, at);
  archive.expect(offset, "local");
  const content = archive.part(offset + sizes.local + archive.u16(offset + 26) + archive.u16(offset + 28), size);
  if (crc32(content) !== archive.u32(at + 16))
    throw refused(archive.file, `${quoted(name)} is damaged: its CRC-32 differs`);
  return content;
}

/** In 32 bits, or, where these are all ones, in the field 1 of what follows the name: size, stored size, offset, as far as needed. */
function placeOf(archive: Archive, at: number): { readonly size: number; readonly offset: number } {
  const found = [archive.u32(at + 24), archive.u32(at + 20), archive.u32(at + 42)];
  let next = wideFields(archive, at);
  const [size = 0, stored = 0, offset = 0] = found.map((value) => {
    if (value !== 0xffffffff || next === undefined) return value;
    next += 8;
    return archive.u64(next - 8);
  });
  if (size !== stored) throw refused(archive.file, "stores a file in another size than its own");
  return { size, offset };
}

function wideFields(archive: Archive, at: number): number | undefined {
  const begin = at + sizes.directory + archive.u16(at + 28);
  const end = begin + archive.u16(at + 30);
  for (let field = begin; field + 4 <= end; field += 4 + archive.u16(field + 2)) {
    if (archive.u16(field) === 1) return field + 4;
  }
  return undefined;
}
