/**
 * The broker as a service needs it: waited for at the start, whoever is started first, and with all its streams, buckets and
 * queues for as long as the service lives. One that somebody deletes is made anew within seconds, empty; what its owners do
 * about what it held is theirs. Where the broker lets only the trainer make them, everybody else waits for the trainer.
 */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, Unavailable } from "@pretrain/errors";
import { waitFor } from "@pretrain/observability";
import { type Broker, type BrokerOptions, connectBroker } from "./broker.ts";
import { connectionOf } from "./connection.ts";
import { refusalOf } from "./refusal.ts";
import { ensureTopology, missingStreams, type TopologyOptions } from "./topology.ts";

const lookEveryMs = 5_000;

/** Never gives up on a broker that does not answer; its log says what it waits for. */
export async function standingBroker(options: BrokerOptions & TopologyOptions): Promise<Broker> {
  const { url, log } = options;
  const broker = await waitFor(`the broker at ${url}`, () => connectBroker(options), log);
  const topology = new StandingTopology(broker, options);
  await waitFor("the broker's streams", () => topology.ensured(), log);
  const stopping = new AbortController();
  const standing = topology.keep(stopping.signal);
  const { [Symbol.asyncDispose]: close } = broker;
  return Object.assign(broker, {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await standing;
      await close();
    },
  });
}

class StandingTopology {
  readonly #broker: Broker;
  readonly #options: BrokerOptions & TopologyOptions;
  /** Until the broker has refused it. */
  #mayMake = true;

  constructor(broker: Broker, options: BrokerOptions & TopologyOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  /** @throws Unavailable naming what is missing, or why the broker does not make it */
  async ensured(): Promise<void> {
    try {
      if (this.#mayMake) return await ensureTopology(this.#broker, this.#options);
    } catch (error) {
      this.#mayMake = refusalOf(error) === undefined;
      if (this.#mayMake) {
        const message = `the broker does not make its streams (${messageOf(error)})`;
        throw new Unavailable("TOPOLOGY_MISSING", message, {}, { cause: error });
      }
    }
    const [missing] = await this.#missing();
    if (missing === undefined) return;
    const message = `the broker has no ${missing} yet, and only the trainer may make it; start the trainer`;
    throw new Unavailable("TOPOLOGY_MISSING", message, { missing });
  }

  async keep(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    while (!signal.aborted) {
      await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const consequence = this.#mayMake ? "is made anew, empty" : "is the trainer's to make anew, empty";
        for (const stream of await this.#missing()) log.error({ stream }, `a stream is gone, and ${consequence}`);
        await this.ensured();
      } catch (error) {
        log.debug({ reason: messageOf(error) }, "looking for the broker's streams is tried again"); // the connection's log says why
      }
    }
  }

  #missing(): Promise<string[]> {
    return missingStreams(connectionOf(this.#broker).manager);
  }
}
