/**
 * The broker as a service needs it: waited for at the start, whoever is started first, and with all its streams, buckets and
 * queues for as long as the service lives. One that somebody deletes is made anew within seconds, empty; what its owners do
 * about what it held is theirs.
 */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, Unavailable } from "@pretrain/errors";
import { type Log, waitFor } from "@pretrain/observability";
import { type Broker, type BrokerOptions, connectBroker } from "./broker.ts";
import { connectionOf } from "./connection.ts";
import { ensureTopology, streamNames, type TopologyOptions } from "./topology.ts";

const lookEveryMs = 5_000;

/** Never gives up on a broker that does not answer; its log says what it waits for. */
export async function standingBroker(options: BrokerOptions & TopologyOptions): Promise<Broker> {
  const { url, log } = options;
  const broker = await waitFor(`the broker at ${url}`, () => connectBroker(options), log);
  await waitFor("the broker's streams", () => made(broker, options), log);
  const stopping = new AbortController();
  const standing = keepStanding(broker, options, log, stopping.signal);
  const { [Symbol.asyncDispose]: close } = broker;
  return Object.assign(broker, {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await standing;
      await close();
    },
  });
}

async function made(broker: Broker, options: TopologyOptions): Promise<void> {
  try {
    await ensureTopology(broker, options);
  } catch (error) {
    const message = `the broker does not make its streams (${messageOf(error)})`;
    throw new Unavailable("TOPOLOGY_MISSING", message, {}, { cause: error });
  }
}

async function keepStanding(broker: Broker, options: TopologyOptions, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      for (const stream of await missing(broker)) log.error({ stream }, "a stream is gone, and is made anew, empty");
      await ensureTopology(broker, options);
    } catch (error) {
      log.debug({ reason: messageOf(error) }, "looking for the broker's streams is tried again"); // the connection's log says why
    }
  }
}

async function missing(broker: Broker): Promise<string[]> {
  const there = new Set(await Array.fromAsync(connectionOf(broker).manager.streams.names()));
  return streamNames.filter((name) => !there.has(name));
}
