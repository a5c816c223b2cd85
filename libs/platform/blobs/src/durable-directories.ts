/** Folders that survive a power cut: a new name is only safe once the folder that holds it was fsynced. */
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasErrorCode } from "@pretrain/errors";

/** Makes the names inside `folder` durable. No call of Node does this when it creates or renames a file. */
export async function syncDirectory(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

/**
 * Makes folders below one root and remembers which of them are durable. A folder that was there already is synced once
 * too: the process that made it may still be on its way to its own fsync.
 */
export class DurableDirectories {
  readonly #root: string;
  readonly #durable = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder `root/segments…` with all above it. @returns its path */
  async ensure(segments: readonly string[]): Promise<string> {
    if (!this.#durable.has(this.#root)) await makeRoot(this.#root);
    this.#remember(this.#root);
    let folder = this.#root;
    for (const segment of segments) {
      const parent = folder;
      folder = join(parent, segment);
      if (this.#durable.has(folder)) continue;
      await makeFolder(folder);
      await syncDirectory(parent);
      this.#remember(folder);
    }
    return folder;
  }

  /** To be called when a folder turns out to be gone: somebody removed it by hand. */
  forget(): void {
    this.#durable.clear();
  }

  #remember(folder: string): void {
    if (this.#durable.size >= 10_000) this.#durable.clear(); // costs some needless fsyncs, keeps memory bounded
    this.#durable.add(folder);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
}

/** Makes the root, which may lie some folders below what exists, and syncs the parent of each folder it had to make. */
async function makeRoot(root: string): Promise<void> {
  const first = await mkdir(root, { recursive: true });
  if (first === undefined) return;
  for (let folder = root; ; folder = dirname(folder)) {
    await syncDirectory(dirname(folder));
    if (folder === first) return;
  }
}
