/** What the parent has sent and the training loop has not taken yet. */
import { setImmediate as turn } from "node:timers/promises";
import type { Batch, StopPlace } from "./protocol.ts";

export class Inbox {
  readonly #batches: Batch[] = [];
  #stop: StopPlace | undefined;
  #arrived = Promise.withResolvers<void>();

  put(batch: Batch): void {
    this.#batches.push(batch);
    this.#arrived.resolve();
  }

  /** Of two wishes the later one counts. */
  stop(at: StopPlace): void {
    this.#stop = at;
    this.#arrived.resolve();
  }

  /** Where the parent wants training to stop, if it does. */
  get stopsAt(): StopPlace | undefined {
    return this.#stop;
  }

  /** The next batch, waited for; undefined when training is to stop here. */
  async next(isBetweenOptimizerSteps: boolean): Promise<Batch | undefined> {
    await turn(); // messages that came while a step was computed are only heard when the event loop turns
    for (;;) {
      if (this.#stop === "now" || (this.#stop === "at_checkpoint" && isBetweenOptimizerSteps)) return undefined;
      const batch = this.#batches.shift();
      if (batch !== undefined) return batch;
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
  }
}
