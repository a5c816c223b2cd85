/** What Prometheus learns of the disks that a process writes to: asked of the system when somebody wants to know. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { hasErrorCode } from "@pretrain/errors";
import type { Metrics } from "./metrics.ts";

interface Disks {
  /** Folder of what the process keeps for itself. */
  readonly state?: string;
  /** Address of the blob store; one that is no folder has its own monitoring. */
  readonly store: string;
}

export function tellDisks(metrics: Metrics, { state, store }: Disks): void {
  const places = {
    ...(state !== undefined && { state }),
    ...(store.startsWith("file:") && { store: fileURLToPath(store) }),
  };
  const free = metrics.gauge("pretrain_disk_free_bytes", "Room on the disk of a folder, for who runs this process.", [
    "place",
  ]);
  const size = metrics.gauge("pretrain_disk_size_bytes", "Size of the disk of a folder.", ["place"]);
  metrics.beforeScrape(async () => {
    for (const [place, folder] of Object.entries(places)) {
      const { bavail, blocks, bsize } = await statfs(await madeAlready(folder));
      free(bavail * bsize, { place });
      size(blocks * bsize, { place });
    }
  });
}

/** The folder, or, before it is made, the one that it will be made in. */
async function madeAlready(folder: string): Promise<string> {
  try {
    await statfs(folder);
    return folder;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT") && dirname(folder) !== folder) return madeAlready(dirname(folder));
    throw error;
  }
}
