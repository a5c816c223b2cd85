/** Keeps one worker process running while there is work, and none while there is none. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { kinds } from "./messages.ts";
import { type Child, startChild } from "./start-child.ts";

export interface SupervisorOptions {
  /** The worker's main module. It exits with code 0 when it finds no more work. */
  readonly module: URL;
  /** The worker's whole environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether there is work, waiting or in somebody's hands. Asked every `pollMs` while no worker runs. */
  readonly hasWork: () => Promise<boolean>;
  /** How long the worker may take to end after SIGTERM, before SIGKILL: its longest step and one checkpoint. */
  readonly graceMs: number;
  readonly log: Log;
  /** Pause between questions, 2 s if not given. */
  readonly pollMs?: number;
}

export interface Supervised extends AsyncDisposable {
  /** Asks for work at once, as after a piece was enqueued by this process. */
  wake(): void;
}

const firstBackoffMs = 1_000;
const longestBackoffMs = 30_000;

/** Starts supervising. Disposing stops the worker, in `graceMs` at most. */
export function superviseWorker(options: SupervisorOptions): Supervised {
  const stopping = new AbortController();
  const bell = new Bell();
  const done = supervise(options, bell, stopping.signal);
  return {
    wake: () => bell.ring(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      bell.ring();
      await done;
    },
  };
}

async function supervise(options: SupervisorOptions, bell: Bell, stopping: AbortSignal): Promise<void> {
  let backoffMs = firstBackoffMs;
  while (!stopping.aborted) {
    const endedWell = !(await isWorkThere(options)) || (await runOnce(options, stopping));
    if (endedWell) {
      backoffMs = firstBackoffMs;
      await bell.within(options.pollMs ?? 2_000); // also after a worker: one that ends at once must not be started in a loop
    } else {
      options.log.warn({ backoffMs }, "the worker is started again after a pause");
      await pause(backoffMs, undefined, { signal: stopping }).catch(() => undefined);
      backoffMs = Math.min(longestBackoffMs, backoffMs * 2);
    }
  }
}

/** A question that fails (the broker is away) counts as no: it is asked again soon. */
async function isWorkThere({ hasWork, log }: SupervisorOptions): Promise<boolean> {
  try {
    return await hasWork();
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "cannot ask whether there is work");
    return false;
  }
}

/** One life of the worker. True when it ended well: with code 0, or because we asked it to. */
async function runOnce({ module, environment, graceMs, log }: SupervisorOptions, stopping: AbortSignal) {
  const worker = await start(module, environment, log);
  if (worker === undefined) return false;
  log.info({ worker: worker.processId }, "worker started");
  const stop = () => void worker.stop(graceMs);
  stopping.addEventListener("abort", stop, { once: true });
  if (stopping.aborted) stop(); // it came while the process was being started
  const { code, signal, stderrTail } = await worker.exited;
  stopping.removeEventListener("abort", stop);
  if (code === 0 || stopping.aborted) {
    log.info({ worker: worker.processId, code, signal }, "worker ended");
    return true;
  }
  log.error({ worker: worker.processId, code, signal, stderrTail }, "worker ended unexpectedly");
  return false;
}

type Silent = Child<never>;

async function start(
  module: URL,
  environment: SupervisorOptions["environment"],
  log: Log,
): Promise<Silent | undefined> {
  try {
    return await startChild<never, never>({
      module,
      environment,
      receives: kinds<never>({}),
      onMessage: () => undefined,
    });
  } catch (error) {
    log.error({ reason: messageOf(error) }, "the worker cannot be started");
    return undefined;
  }
}

/** A wait that can be cut short. A ring while nobody waits counts for the next wait. */
class Bell {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  async within(longestMs: number): Promise<void> {
    const patience = new AbortController();
    await Promise.race([
      this.#rung.promise,
      pause(longestMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    this.#rung = Promise.withResolvers();
  }
}
