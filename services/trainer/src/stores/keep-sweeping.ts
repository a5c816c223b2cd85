/** Sweeps at once and then every half minute, and counts the experiments while it has them in its hands. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import type { Metrics } from "@pretrain/observability";
import { Experiment_State as State } from "@pretrain/proto";
import { stateName } from "../experiment/lifecycle.ts";
import { type Restoring, restoreRecords } from "./restore-records.ts";
import { type Sweep, sweep } from "./sweep.ts";

const intervalMs = 30_000;
const lookEveryMs = 500;

type Options = Sweep & Restoring & { readonly metrics: Metrics };

export function keepSweeping(options: Options): AsyncDisposable {
  const stopping = new AbortController();
  const gauge = options.metrics.gauge("pretrain_experiments", "Experiments by their state.", ["state"]);
  const sweeping = run(options, gauge, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await sweeping;
    },
  };
}

async function run(options: Options, gauge: ReturnType<Metrics["gauge"]>, signal: AbortSignal): Promise<void> {
  let restored = 0;
  while (!signal.aborted) {
    const { readings } = options.index;
    try {
      if (readings !== restored) await restoreRecords(options); // the bucket may be another one than at the last look
      restored = readings;
      const states = (await sweep(options)).map(({ state }) => state);
      for (const state of new Set(Object.values(State).filter((each) => typeof each === "number"))) {
        gauge(states.filter((each) => each === state).length, { state: stateName(state) });
      }
    } catch (error) {
      options.log.warn({ reason: messageOf(error) }, "looking for what was left undone is tried again");
    }
    await nextTime(() => options.index.readings !== restored, signal);
  }
}

/** Half a minute, or until the bucket was read from its beginning again. */
async function nextTime(isUrgent: () => boolean, signal: AbortSignal): Promise<void> {
  const until = performance.now() + intervalMs;
  do await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted && performance.now() < until && !isUrgent());
}
