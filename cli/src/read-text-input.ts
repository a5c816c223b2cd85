/** A text that a person gives: on the command line, or with `-` on the standard input. */
import { readFile, stat } from "node:fs/promises";
import { NotFound, ResourceExhausted, systemReason } from "@pretrain/errors";
import type { Terminal } from "./terminal/terminal.ts";

/** More is no text to score or to continue at once. The services have limits of their own, in tokens. */
const limitBytes = 16 * 2 ** 20;

/** @throws ResourceExhausted for more than 16 MiB */
export async function readTextInput(text: string, { stdin }: Terminal): Promise<string> {
  if (text !== "-") return text;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stdin) {
    pieces.push(Buffer.from(piece));
    bytes += Buffer.byteLength(piece);
    if (bytes > limitBytes) throw tooLarge("the standard input", bytes);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** @throws NotFound when it cannot be read; ResourceExhausted for more than 16 MiB */
export async function readTextFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > limitBytes) throw tooLarge(file, size);
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof ResourceExhausted) throw error;
    throw new NotFound("FILE_UNREADABLE", `${file} ${systemReason(error)}`, { file }, { cause: error });
  }
}

function tooLarge(what: string, bytes: number): ResourceExhausted {
  const message = `${what} has more than ${limitBytes / 2 ** 20} MiB; give a part of it`;
  return new ResourceExhausted("TEXT_TOO_LARGE", message, { bytes: String(bytes) });
}
