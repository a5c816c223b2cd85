/** The segment that is being written. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { segmentPath, syncFolder } from "./segment-files.ts";
import { encodeHeader } from "./spool-record.ts";

export class SegmentWriter {
  readonly file: string;
  readonly #descriptor: number;
  #sizeBytes = 0;

  /** @throws the system's error when the file cannot be made */
  constructor(folder: string, firstSequence: number) {
    this.file = segmentPath(folder, firstSequence);
    this.#descriptor = openSync(this.file, "wx");
    try {
      this.write(encodeHeader(firstSequence));
      syncFolder(folder);
    } catch (error) {
      closeSync(this.#descriptor);
      rmSync(this.file); // or the next try would find its name taken
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Appends all bytes; when it returns, the death of this process cannot undo it. @returns where they begin */
  write(bytes: Uint8Array): number {
    const begin = this.#sizeBytes;
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, begin + done); // over what a failed try left
    }
    this.#sizeBytes = begin + bytes.length;
    return begin;
  }

  /** When it returns, a power cut cannot undo what was written before. Off the event loop: it can take long. */
  async sync(): Promise<void> {
    await using handle = await open(this.file, "r+"); // a sync covers the file, through whichever descriptor
    await handle.sync();
  }

  /** @throws the system's error when what was written is not on the disk; the file is closed all the same */
  close(): void {
    try {
      fsyncSync(this.#descriptor);
    } finally {
      closeSync(this.#descriptor);
    }
  }
}
