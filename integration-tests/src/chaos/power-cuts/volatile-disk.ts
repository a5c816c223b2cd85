/**
 * A disk that forgets: what of a program's calls is still there when the power goes. A file's bytes are safe as of its last
 * sync, a name as of the last sync of its folder. A file system may have kept more than that, so three survivors are looked at:
 *
 *     names as synced       everything that was not asked for is gone
 *     names as written      every rename has reached the disk, and bytes that were not synced have not: empty files
 *     all as written        the power stayed, the process was killed: nothing is gone
 */
import { dirname } from "node:path";
import type { DiskCall } from "./recorded-calls.ts";

interface File {
  written: Buffer;
  synced: Buffer;
}

type Entry = File | "folder";

export const survivors = ["names as synced", "names as written", "all as written"] as const;
export type Survivors = (typeof survivors)[number];

export class VolatileDisk {
  readonly #written = new Map<string, Entry>();
  readonly #synced = new Map<string, Entry>();

  apply(call: DiskCall): void {
    switch (call.name) {
      case "open":
        return this.#open(call);
      case "write":
        return this.#write(call);
      case "truncate":
        return this.#change(call.path, (file) => file.written.subarray(0, call.length));
      case "sync":
        return this.#sync(call.path);
      case "rename":
        this.#link(call.from, call.to);
        this.#written.delete(call.from);
        return;
      case "link":
        return this.#link(call.from, call.to);
      case "unlink":
        this.#written.delete(call.path);
        return;
      case "mkdir":
        this.#written.set(call.path, "folder");
        return;
    }
  }

  /** Files that are there after the power cut, with their bytes, below `root`. */
  files(surviving: Survivors, root: string): Map<string, Buffer> {
    const entries = surviving === "names as synced" ? this.#synced : this.#written;
    const bytesOf = (file: File) => (surviving === "all as written" ? file.written : file.synced);
    const isReached = (path: string): boolean =>
      path === root || (entries.get(dirname(path)) === "folder" && isReached(dirname(path))) || dirname(path) === root;
    return new Map(
      [...entries].flatMap(([path, entry]) =>
        entry !== "folder" && path.startsWith(`${root}/`) && isReached(path) ? [[path, bytesOf(entry)] as const] : [],
      ),
    );
  }

  #open({ path, isNew, empties }: Extract<DiskCall, { name: "open" }>): void {
    if (isNew && !this.#written.has(path))
      this.#written.set(path, { written: Buffer.alloc(0), synced: Buffer.alloc(0) });
    if (empties) this.#change(path, () => Buffer.alloc(0));
  }

  #write({ path, offset, bytes }: Extract<DiskCall, { name: "write" }>): void {
    this.#change(path, ({ written }) => {
      const begin = offset ?? written.length;
      const grown = Buffer.alloc(Math.max(written.length, begin + bytes.length));
      written.copy(grown);
      bytes.copy(grown, begin);
      return grown;
    });
  }

  #change(path: string, change: (file: File) => Buffer): void {
    const entry = this.#written.get(path);
    if (entry !== undefined && entry !== "folder") entry.written = change(entry);
  }

  #sync(path: string): void {
    const entry = this.#written.get(path);
    if (entry !== undefined && entry !== "folder") {
      entry.synced = entry.written;
      return;
    }
    for (const known of [this.#synced, this.#written])
      for (const name of known.keys()) if (dirname(name) === path) this.#syncName(name);
  }

  #syncName(path: string): void {
    const entry = this.#written.get(path);
    if (entry === undefined) this.#synced.delete(path);
    else this.#synced.set(path, entry);
  }

  #link(from: string, to: string): void {
    const entry = this.#written.get(from);
    if (entry !== undefined) this.#written.set(to, entry);
  }
}
