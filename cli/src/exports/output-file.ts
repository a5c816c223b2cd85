/** A file that grows by small pieces: they are gathered, so that a million lines are no million calls. */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** Rows of a table, records of an event file or log. */
  readonly rows: number;
}

const gatheredBytes = 1024 * 1024;

/**
 * Creates the file, has `fill` write it, and leaves it on the disk for certain.
 * @param fill returns the number of rows it wrote
 * @throws whatever the system says, such as a full disk
 */
export async function writeFileInPieces(
  folder: string,
  name: string,
  fill: (file: OutputFile) => Promise<number>,
): Promise<WrittenFile> {
  await using handle = await open(join(folder, name), "wx");
  const file = new OutputFile(handle);
  const rows = await fill(file);
  await file.flush();
  await handle.sync();
  return { name, bytes: file.bytes, rows };
}

export class OutputFile {
  readonly #handle: FileHandle;
  #pieces: Uint8Array[] = [];
  #gathered = 0;
  #written = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#written + this.#gathered;
  }

  /** @param piece not changed afterwards */
  async append(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#gathered += piece.length;
    if (this.#gathered >= gatheredBytes) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#gathered === 0) return;
    await this.#handle.writeFile(Buffer.concat(this.#pieces)); // goes on where the piece before it ended
    this.#written += this.#gathered;
    [this.#pieces, this.#gathered] = [[], 0];
  }
}
