/**
 * Server-sent events. A client is a place in the ledger: when the ledger has changed, what lies after the place is sent and
 * the place moves on. Nothing is queued for anybody, and what lies after a place is read and written out once for all who stand
 * there: five hundred clients cost little more than one. A reader that is slow gets its next, larger helping later; one that takes
 * nothing for half a minute is cut off, and comes back to its place by itself (`Last-Event-ID`).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ledger } from "../ledger/open-ledger.ts";
import { SharedReads } from "../ledger/shared-reads.ts";
import type { CurrentReports } from "../reports/current-reports.ts";
import { changesAfter, lastPosition } from "./changes.ts";
import { overview } from "./overview.ts";

export interface LivePace {
  /** Between two helpings. */
  readonly paceMs: number;
  /** Between two signs of life of a quiet stream. */
  readonly heartbeatMs: number;
  /** How long a reader may take nothing. */
  readonly patienceMs: number;
}

export interface LiveOptions extends LivePace {
  readonly ledger: Ledger;
  readonly reports: CurrentReports;
}

export const livePace: LivePace = { paceMs: 250, heartbeatMs: 15_000, patienceMs: 30_000 };
const maximumClients = 640;
/** What a browser waits before it connects again. */
const retryMs = 2000;

interface Client {
  readonly response: ServerResponse;
  readonly experiment: string | undefined;
  position: number;
  /** Since when the socket has taken nothing; undefined while it takes what it is given. */
  blockedSinceMs: number | undefined;
  lastSentMs: number;
}

/** What a client at some place is sent next. */
interface Helping {
  /** Where it is afterwards. */
  readonly position: number;
  /** Events, as they are written into the stream. */
  readonly text: string;
}

export class LiveStreams implements Disposable {
  readonly #options: LiveOptions;
  readonly #helpings = new SharedReads<Helping>();
  readonly #clients = new Set<Client>();
  readonly #heartbeat: NodeJS.Timeout;
  #helping: NodeJS.Timeout | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.#lookAfterAll(), Math.min(options.heartbeatMs, options.patienceMs) / 2);
    this.#heartbeat.unref();
  }

  /** The ledger has changed. */
  changed(): void {
    if (this.#clients.size === 0 || this.#helping !== undefined) return;
    this.#helping = setTimeout(() => {
      this.#helping = undefined;
      this.#helpings.forget();
      for (const client of this.#clients) this.#help(client);
    }, this.#options.paceMs);
  }

  /** Answers a request for the stream of one experiment, or of the list alone. */
  open(request: IncomingMessage, response: ServerResponse, experiment: string | undefined): void {
    if (this.#clients.size >= maximumClients) return refuse(response);
    const { place, isKnown } = this.#placeOf(request);
    const client: Client = {
      response,
      experiment,
      position: place,
      blockedSinceMs: undefined,
      lastSentMs: performance.now(),
    };
    response.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
    response.on("drain", () => {
      client.blockedSinceMs = undefined;
      this.#help(client);
    });
    response.on("close", () => this.#clients.delete(client));
    this.#clients.add(client);
    this.#write(client, `retry: ${retryMs}\n\n`);
    this.#write(client, this.#eventText(place, isKnown ? "resumed" : "refresh", {}));
    this.#help(client);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#helping);
    this.#helping = undefined;
    for (const { response } of this.#clients) response.end();
  }

  /** `<ledger>-<position>`; of another ledger, or from the future, it means nothing. */
  #placeOf(request: IncomingMessage): { readonly place: number; readonly isKnown: boolean } {
    const last = lastPosition(this.#options.ledger);
    const [ledger, position] = String(request.headers["last-event-id"] ?? "").split("-");
    const place = Number(position);
    const isKnown = ledger === this.#options.ledger.id && /^\d{1,15}$/.test(position ?? "") && place <= last;
    return { place: isKnown ? place : last, isKnown };
  }

  #help(client: Client): void {
    if (client.blockedSinceMs !== undefined) return;
    const { position, experiment } = client;
    const helping = this.#helpings.read(`${experiment ?? ""}/${position}`, () => this.#behind(position, experiment));
    if (helping.position === position) return;
    client.position = helping.position;
    if (helping.text !== "") this.#write(client, helping.text);
  }

  /** What lies behind the place. */
  #behind(place: number, experiment: string | undefined): Helping {
    const { ledger, reports } = this.#options;
    const changes = changesAfter(ledger, place, experiment);
    const { position } = changes;
    if (position === place) return { position, text: "" };
    const texts: string[] = [];
    const tell = (event: string, data: object) => texts.push(this.#eventText(position, event, data));
    if (changes.isTooMuch || changes.hasAttempt) tell("refresh", {});
    else if (changes.steps.microStep.length > 0) tell("steps", changes.steps);
    if (changes.hasFacts) tell("facts", {});
    if (changes.hasTransition) tell("experiments", {});
    const now = experiment === undefined ? undefined : overview(ledger, reports, experiment);
    if (now !== undefined) tell("overview", now);
    return { position, text: texts.join("") };
  }

  #eventText(position: number, event: string, data: object): string {
    return `id: ${this.#options.ledger.id}-${position}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  #write(client: Client, text: string): void {
    client.lastSentMs = performance.now();
    const isTaken = client.response.write(text);
    if (!isTaken) client.blockedSinceMs ??= performance.now();
  }

  #lookAfterAll(): void {
    const now = performance.now();
    for (const client of this.#clients) {
      const { blockedSinceMs, response, lastSentMs } = client;
      if (blockedSinceMs !== undefined && now - blockedSinceMs > this.#options.patienceMs) response.destroy();
      else if (blockedSinceMs === undefined && now - lastSentMs > this.#options.heartbeatMs)
        this.#write(client, ": alive\n\n");
    }
  }
}

function refuse(response: ServerResponse): void {
  response.setHeader("Retry-After", "30");
  response.writeHead(503, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${maximumClients} pages are open already; close one\n`);
}
