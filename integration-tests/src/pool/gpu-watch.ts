/** Looks, beside the cluster and by other means, whether two workers are ever on one GPU: by what the system says of its processes. */
import { readdirSync, readFileSync } from "node:fs";
import type { GpuNode } from "./gpu-node.ts";

const lookEveryMs = 300;

export class GpuWatch implements Disposable {
  /** Sentences, one for each GPU that was found with two. */
  readonly found = new Set<string>();
  /** Looks that found a worker somewhere. */
  looks = 0;
  readonly #nodes: readonly GpuNode[];
  readonly #timer: NodeJS.Timeout;

  constructor(nodes: readonly GpuNode[]) {
    this.#nodes = nodes;
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** How many workers live, on whichever node. */
  workers(): number {
    return [...workersByNode(this.#nodes).values()].reduce((sum, workers) => sum + workers.size, 0);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const byNode = workersByNode(this.#nodes);
    if (byNode.size > 0) this.looks += 1;
    for (const [name, workers] of byNode) {
      if (workers.size > 1) this.found.add(`${[...workers].sort().join(" and ")} were on the GPU of ${name} at once`);
    }
  }
}

/** Names of the workers whose processes live, by their node's. Who still waits for the GPU is no worker yet. */
function workersByNode(nodes: readonly GpuNode[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const entry of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const state = /(?:^|\0)PRETRAIN_STATE=([^\0]*)/.exec(textOf(entry, "environ"))?.[1] ?? "";
    const node = nodes.find(({ folder }) => state.startsWith(`${folder}/`));
    if (node === undefined || !/^\S*node\0/.test(textOf(entry, "cmdline"))) continue;
    const worker = /(?:^|\0)PRETRAIN_WORKER_NAME=([^\0]*)/.exec(textOf(entry, "environ"))?.[1] ?? entry;
    found.set(node.name, (found.get(node.name) ?? new Set()).add(worker));
  }
  return found;
}

/** Empty when the process has gone meanwhile, is a zombie, or is somebody else's. */
function textOf(entry: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${entry}/${file}`, "latin1");
  } catch {
    return "";
  }
}
