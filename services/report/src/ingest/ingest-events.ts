/** Everything that the streams hold, into the ledger. The broker is told that an event is taken when it is on the disk. */

import type { BlobStore } from "@pretrain/blobs";
import { messageOf } from "@pretrain/errors";
import { type Broker, type Consumption, questions, type StreamName } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { EventWriter } from "../ledger/event-writer.ts";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { positionIn, setPosition } from "../ledger/positions.ts";
import { AttemptClaims } from "./attempt-claims.ts";
import { missingEvents } from "./missing-events.ts";

export interface IngestOptions {
  readonly broker: Pick<Broker, "consume" | "answer" | "extentOf">;
  readonly ledger: Ledger;
  /** Where the claims of attempts are. */
  readonly blobs: BlobStore;
  readonly log: Log;
  /** So many events of a kind were taken, repetitions included. */
  readonly onTaken: (kind: string, count: number) => void;
  /** The ledger has changed for these experiments. */
  readonly onChange: (experiments: ReadonlySet<string>) => void;
}

export interface Ingestion extends AsyncDisposable {
  /** False while the ledger cannot be written. */
  isHealthy(): boolean;
  /** How many events of each stream the ledger does not have yet. @throws Unavailable when the broker is silent */
  behind(): Promise<ReadonlyMap<StreamName, number>>;
}

/** 40 ms of writing, where so many wait: the page and the calls are answered in between. */
const batch = 1000;
/** Between two looks at how far the broker says that we are, and at claims that could not be read. */
const tendMs = 10_000;
const streams = ["PRETRAIN_EVENTS", "PRETRAIN_METRICS"] as const satisfies readonly StreamName[];

/**
 * The consumers have the ledger's id in their names and begin where the ledger says that it is: one that was lost, or put back
 * to what it was yesterday, is filled by nothing but a start.
 */
export async function ingestEvents(options: IngestOptions): Promise<Ingestion> {
  const { broker, ledger, log, onChange } = options;
  await using opened = new AsyncDisposableStack();
  const claims = new AttemptClaims(options);
  const taking = new Taking(options, claims);
  const consumptions: [StreamName, Consumption][] = [];
  for (const stream of streams) {
    await tellWhatIsGone(options, stream);
    const from = { durable: `report-${ledger.id}`, batch, heldUpTo: positionIn(ledger, stream) };
    consumptions.push([stream, opened.use(await broker.consume(stream, from, (events) => taking.take(events)))]);
  }
  opened.use(broker.answer(questions.missingEvents, missingEvents(ledger)));
  const tend = async () => {
    try {
      for (const [stream, consumption] of consumptions) await notePosition(ledger, stream, consumption);
      const found = await claims.lookUp();
      if (found.size > 0) onChange(found);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "how far the ledger is could not be noted; tried again");
    }
  };
  const tending = setInterval(() => void tend(), tendMs);
  opened.defer(async () => {
    clearInterval(tending);
    await tend(); // the next start begins where this one ends
  });
  const running = opened.move();
  return {
    isHealthy: () => taking.isHealthy,
    behind: () => behind(broker, consumptions),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function behind(
  broker: IngestOptions["broker"],
  consumptions: readonly (readonly [StreamName, Consumption])[],
): Promise<ReadonlyMap<StreamName, number>> {
  const found = new Map<StreamName, number>();
  for (const [stream, consumption] of consumptions) {
    const settled = await consumption.settledUpTo(); // first: what comes in between is behind, and not the other way round
    found.set(stream, Math.max(0, (await broker.extentOf(stream)).last - settled));
  }
  return found;
}

class Taking {
  isHealthy = true;
  readonly #options: IngestOptions;
  readonly #claims: AttemptClaims;
  readonly #writer: EventWriter;

  constructor(options: IngestOptions, claims: AttemptClaims) {
    this.#options = options;
    this.#claims = claims;
    this.#writer = new EventWriter(options.ledger);
  }

  /** @throws when the ledger cannot be written: the broker delivers the batch again */
  async take(events: readonly LedgerEvent[]): Promise<void> {
    const { log, onTaken, onChange } = this.#options;
    try {
      const { changed, refused } = this.#writer.append(events);
      for (const refusal of refused) log.warn(refusal, "an event without an identity is passed over");
      const claimed = await this.#claims.of(events);
      this.isHealthy = true;
      for (const [kind, taken] of Map.groupBy(events, (event) => event.kind)) onTaken(kind, taken.length);
      if (changed.size + claimed.size > 0) onChange(changed.union(claimed));
    } catch (error) {
      this.isHealthy = false;
      log.error({ reason: messageOf(error) }, "the ledger could not be written");
      throw error;
    }
  }
}

/** What the broker counts as taken was committed before it was told so. */
async function notePosition(ledger: Ledger, stream: StreamName, consumption: Consumption): Promise<void> {
  const sequence = await consumption.settledUpTo();
  if (sequence !== positionIn(ledger, stream)) setPosition(ledger, stream, sequence);
}

/** Streams forget after a while: a ledger that is built again cannot get back what they no longer hold. */
async function tellWhatIsGone({ broker, ledger, log }: IngestOptions, stream: StreamName): Promise<void> {
  const { first } = await broker.extentOf(stream);
  const position = positionIn(ledger, stream);
  if (first > position + 1) {
    const gone = { stream, from: position + 1, to: first - 1 };
    log.warn(gone, "the stream no longer holds these events; those that the ledger lacks are shown as gaps");
  }
}
