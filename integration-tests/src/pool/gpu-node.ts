/**
 * A node of the pool: a folder that goes with it, and one GPU, which is a lock of the kernel's on a file that does not. Whoever is started on
 * it takes the GPU first, and exits with 75 when another process still has it, as a worker does where a GPU's memory is not free.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What one of its pods runs. */
export interface PodProgram {
  readonly name: string;
  /** Absolute path of a module. */
  readonly module: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A process on a node. */
export interface Pod {
  readonly name: string;
  /** Exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
}

/** What a process exits with that finds the GPU taken, as a worker that finds too little of its memory free. */
export const gpuTaken = 75;

export class GpuNode {
  readonly name: string;
  readonly #folder: string;
  readonly #logs: string;
  readonly #lock: string;
  #life = 0;

  /** @param folder of the pool */
  constructor(folder: string, number: number) {
    this.name = `node-${number}`;
    this.#folder = join(folder, "nodes", this.name);
    this.#logs = join(folder, "logs");
    this.#lock = join(folder, "gpus", this.name);
    for (const each of [this.#logs, join(folder, "gpus")]) mkdirSync(each, { recursive: true });
  }

  /** Its disk, as long as it lives; every process of its pods has it in its environment. */
  get folder(): string {
    return this.#folder;
  }

  /** Starts a pod, in a process group of its own. */
  start({ name, module, environment }: PodProgram): Pod {
    const state = join(this.#folder, `life-${this.#life}`, name);
    mkdirSync(state, { recursive: true });
    const log = openSync(join(this.#logs, `${name}.log`), "a");
    const command = ["--nonblock", "--conflict-exit-code", String(gpuTaken), "--no-fork", this.#lock];
    const child = spawn("flock", [...command, process.execPath, module], {
      env: { ...environment, PRETRAIN_STATE: state, PRETRAIN_WORKER_NAME: name },
      stdio: ["ignore", log, log],
      detached: true,
    });
    return { name, ended: endOf(child), signal: (signal) => signalGroup(child, signal) };
  }

  /** Its disk is gone, and a new node has its name and its GPU. */
  replace(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    this.#life += 1;
  }
}

async function endOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // it has just ended
  }
}
