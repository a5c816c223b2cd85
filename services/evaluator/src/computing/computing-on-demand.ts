/** A computing process while somebody needs one, and a little longer, so that the model stays loaded for the next. */
import type { Log } from "@pretrain/observability";
import type { Ask, ComputingProcess } from "./computing-process.ts";

/** Disposing returns it. */
export interface BorrowedProcess extends Disposable {
  readonly ask: Ask;
}

export interface ComputingOnDemand extends AsyncDisposable {
  /** The process, started when none runs. @throws Unavailable when it cannot be started */
  borrow(): Promise<BorrowedProcess>;
}

export interface DemandOptions {
  readonly start: () => Promise<ComputingProcess>;
  /** How long it may stay without anybody needing it. */
  readonly idleMs: number;
  readonly log: Log;
}

/** Disposing ends the process, whoever is using it. */
export function computingOnDemand({ start, idleMs, log }: DemandOptions): ComputingOnDemand {
  let running: Promise<ComputingProcess> | undefined;
  let users = 0;
  let idle: NodeJS.Timeout | undefined;

  const end = async () => {
    const ending = running;
    running = undefined;
    await (await ending)?.[Symbol.asyncDispose]();
  };
  const begin = async () => {
    const process = await start();
    log.info({ child: process.processId }, "computing process started");
    return process;
  };
  const started = () => {
    const starting = begin();
    running = starting;
    const forget = () => {
      if (running === starting) running = undefined; // the next one who needs it starts another
    };
    void starting.then(({ exited }) => exited.then(forget), forget);
    return starting;
  };
  const release = () => {
    users -= 1;
    if (users === 0) idle = setTimeout(() => void end(), idleMs);
  };
  return {
    async borrow() {
      clearTimeout(idle);
      users += 1;
      try {
        const { ask } = await (running ?? started());
        return { ask, [Symbol.dispose]: release };
      } catch (error) {
        release();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(idle);
      await end();
    },
  };
}
