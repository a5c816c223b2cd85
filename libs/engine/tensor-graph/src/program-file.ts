/**
 * A program as one file, which says what it is and notices damage:
 *
 *     "tensor-graph/1\n"   sizes of the two parts, uint32 each   description, JSON   FunctionDef   SHA-256 of all before
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DataLoss, InvalidArgument } from "@pretrain/errors";
import type { Program } from "./program.ts";

const magic = Buffer.from("tensor-graph/1\n");
const digestBytes = 32;
const sizesBytes = 8;

/**
 * Writes the program so that at any time, also after a power cut, `path` holds all of it or what was there before.
 *
 * @throws the file system's error
 */
export function storeProgram(path: string, program: Program): void {
  const temporary = `${path}.${process.pid}${temporarySuffix}`;
  try {
    writeFileSync(temporary, programBytes(program), { flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path)); // the rename itself can be lost in a power cut, though the file is there
}

/** How the names end under which programs are being written. */
export const temporarySuffix = ".writing";

/** @throws InvalidArgument for a file that holds no program; DataLoss for one that is damaged; the file system's error */
export function loadProgram(path: string): Program {
  const bytes = readFileSync(path);
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw new InvalidArgument([
      { field: "path", description: `${path} holds no program of this version of tensor-graph` },
    ]);
  }
  const content = bytes.subarray(0, -digestBytes);
  const found = createHash("sha256").update(content).digest();
  if (bytes.length < magic.length + sizesBytes + digestBytes || !bytes.subarray(-digestBytes).equals(found)) {
    throw new DataLoss("PROGRAM_DAMAGED", `${path} is not as it was written; trace it again`, { path });
  }
  return programOfContent(content);
}

function programBytes({ definition, ...description }: Program): Buffer {
  const text = Buffer.from(JSON.stringify(description));
  const sizes = Buffer.alloc(sizesBytes);
  sizes.writeUInt32LE(text.length, 0);
  sizes.writeUInt32LE(definition.length, 4);
  const content = Buffer.concat([magic, sizes, text, definition]);
  return Buffer.concat([content, createHash("sha256").update(content).digest()]);
}

/** @param content of which the digest is known to be right, so what is in it was written above */
function programOfContent(content: Buffer): Program {
  const start = magic.length + sizesBytes;
  const end = start + content.readUInt32LE(magic.length);
  const description = JSON.parse(content.toString("utf8", start, end)) as Omit<Program, "definition">;
  return { ...description, definition: Uint8Array.from(content.subarray(end)) };
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  fsyncSync(folder);
  closeSync(folder);
}
