/** Sweeps at once and then every half minute, and counts the experiments while it has them in its hands. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "@pretrain/errors";
import type { Metrics } from "@pretrain/observability";
import { Experiment_State as State } from "@pretrain/proto";
import { stateName } from "../experiment/lifecycle.ts";
import { type Sweep, sweep } from "./sweep.ts";

const intervalMs = 30_000;

export function keepSweeping(options: Sweep & { readonly metrics: Metrics }): AsyncDisposable {
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

async function run(options: Sweep, gauge: ReturnType<Metrics["gauge"]>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const states = (await sweep(options)).map(({ state }) => state);
      for (const state of new Set(Object.values(State).filter((each) => typeof each === "number"))) {
        gauge(states.filter((each) => each === state).length, { state: stateName(state) });
      }
    } catch (error) {
      options.log.warn({ reason: messageOf(error) }, "looking for what was left undone is tried again");
    }
    await pause(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
