/** A file that somebody sent, line by line: nothing that is no file is opened, and no line is longer than it may be. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { FailedPrecondition, hasErrorCode, NotFound, ResourceExhausted } from "@pretrain/errors";
import type { BundledFile } from "./bundle-format.ts";

/** @throws NotFound; FailedPrecondition for what is no plain file; ResourceExhausted above `limitBytes` */
export async function openPlainFile(path: string, limitBytes: number): Promise<FileHandle> {
  const found = await lstat(path).catch((error: unknown) => {
    if (hasErrorCode(error, "ENOENT")) throw new NotFound("FILE_MISSING", `${path} is not there`, { path });
    throw error;
  });
  if (!found.isFile()) throw new FailedPrecondition("NOT_A_FILE", `${path} is no plain file`, { path });
  if (found.size > limitBytes) {
    const message = `${path} has ${found.size} bytes; at most ${limitBytes} are read`;
    throw new ResourceExhausted("FILE_TOO_LARGE", message, { path });
  }
  return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}

/** The whole file. @throws as `openPlainFile` */
export async function readPlainFile(path: string, limitBytes: number): Promise<Uint8Array> {
  await using file = await openPlainFile(path, limitBytes);
  return await file.readFile();
}

export interface FileLines {
  /** The lines without their ends; decoded strictly. The last one must have an end. */
  readonly lines: AsyncIterable<string>;
  /** Of what was read so far; of all when `lines` is at its end. */
  readonly extent: () => BundledFile;
}

/** Closes the file at the end of the lines. @throws (in `lines`) ResourceExhausted for a line that is too long, FailedPrecondition for one without an end, TypeError where it is no UTF-8 */
export function fileLines(file: FileHandle, lineLimitBytes: number): FileLines {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* lines(): AsyncGenerator<string> {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let rest = Buffer.alloc(0);
    let number = 1;
    for await (const piece of file.createReadStream({ highWaterMark: 2 ** 18 })) {
      hash.update(piece);
      bytes += piece.length;
      const known = Buffer.concat([rest, piece]);
      let start = 0;
      for (let end = known.indexOf(10); end >= 0; end = known.indexOf(10, start)) {
        yield utf8.decode(known.subarray(start, end));
        [start, number] = [end + 1, number + 1];
      }
      rest = known.subarray(start);
      if (rest.length > lineLimitBytes) {
        throw new ResourceExhausted("LINE_TOO_LONG", `line ${number} has more than ${lineLimitBytes} bytes`);
      }
    }
    if (rest.length > 0) throw new FailedPrecondition("LINE_WITHOUT_END", `line ${number}, the last one, has no end`);
  }
  return { lines: lines(), extent: () => ({ bytes, sha256: hash.copy().digest("hex") }) };
}
