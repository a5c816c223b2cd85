/** Everything that the streams hold, into the ledger. The broker is told that an event is taken when it is on the disk. */

import { messageOf } from "@pretrain/errors";
import type { Broker, Consumption } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";

export interface IngestOptions {
  readonly broker: Pick<Broker, "consume">;
  readonly ledger: Ledger;
  readonly log: Log;
  /** So many events of a kind were taken, repetitions included. */
  readonly onTaken: (kind: string, count: number) => void;
  /** The ledger has changed for these experiments. */
  readonly onChange: (experiments: ReadonlySet<string>) => void;
}

export interface Ingestion extends AsyncDisposable {
  /** False while the ledger cannot be written. */
  isHealthy(): boolean;
}

/** 20 ms of writing: the page and the calls are answered in between. */
const batch = 500;

/**
 * The consumers have the ledger's id in their names: a new ledger gets new consumers, which begin at the streams' first
 * events. So a ledger that was lost is built again by nothing but a start.
 */
export async function ingestEvents({ broker, ledger, log, onTaken, onChange }: IngestOptions): Promise<Ingestion> {
  const writer = new EventWriter(ledger);
  let healthy = true;
  const handle = async (events: readonly LedgerEvent[]) => {
    try {
      const { changed, refused } = writer.append(events);
      for (const refusal of refused) log.warn(refusal, "an event without an identity is passed over");
      healthy = true;
      for (const [kind, taken] of Map.groupBy(events, (event) => event.kind)) onTaken(kind, taken.length);
      if (changed.size > 0) onChange(changed);
    } catch (error) {
      healthy = false; // the broker delivers the batch again
      log.error({ reason: messageOf(error) }, "the ledger could not be written");
      throw error;
    }
  };
  const durable = `report-${ledger.id}`;
  const facts = await broker.consume("PRETRAIN_EVENTS", { durable, batch }, handle);
  const metrics = await broker.consume("PRETRAIN_METRICS", { durable, batch }, handle);
  return { isHealthy: () => healthy, [Symbol.asyncDispose]: () => end([metrics, facts]) };
}

async function end(consumptions: readonly Consumption[]): Promise<void> {
  await Promise.all(consumptions.map((consumption) => consumption[Symbol.asyncDispose]()));
}
