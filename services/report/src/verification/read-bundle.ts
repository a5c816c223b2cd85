/** The events of a bundle into a ledger of their own. Whatever is not as this program writes it is told, line by line. */
import { join } from "node:path";
import { messageOf } from "@pretrain/errors";
import type { KindName } from "@pretrain/events";
import { hexOf } from "../ledger/canonical-chain.ts";
import { canonicalKinds } from "../ledger/canonical-entries.ts";
import { addClaims } from "../ledger/claims.ts";
import { type ChainEntry, claimKind, entryDigest, entryName, nextLink, noLink } from "../ledger/entry-digest.ts";
import { EventWriter } from "../ledger/event-writer.ts";
import { type LedgerEvent, ledgerEntry } from "../ledger/ledger-event.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readPayload } from "../ledger/read-history.ts";
import { type BundledFile, bundleLimits, claimLine, eventLine } from "./bundle-format.ts";
import { type Found, maximumDifferences } from "./check.ts";
import { fileLines, openPlainFile } from "./file-lines.ts";

/** Written into the ledger at once. */
const batchLines = 5000;

type Fields = Readonly<Record<string, unknown>>;

/** A file of lines: what a line says, how it must be written, and where it goes. */
interface LineFile {
  readonly name: string;
  readonly entryOf: (fields: Fields, experiment: string) => ChainEntry;
  readonly write: (entry: ChainEntry, link: string) => string;
  /** @throws Error for an entry that the ledger would not have */
  readonly accept: (entry: ChainEntry) => void;
}

export class BundleReading {
  readonly files = new Map<string, BundledFile>();
  /** Lines that are no events as the ledger keeps them. */
  readonly faults: Found[] = [];
  /** Links that do not follow from the line before. */
  readonly linkFaults: Found[] = [];
  #lines = 0;
  readonly #ledger: Ledger;
  readonly #experiment: string;
  readonly #writer: EventWriter;
  #events: LedgerEvent[] = [];
  #link: Uint8Array = noLink;

  /** @param experiment canonical id: an event of another one is a fault */
  constructor(ledger: Ledger, experiment: string) {
    this.#ledger = ledger;
    this.#experiment = experiment;
    this.#writer = new EventWriter(ledger);
  }

  get lines(): number {
    return this.#lines;
  }

  /** @throws as `openPlainFile` */
  async read(folder: string): Promise<void> {
    await this.#readFile(folder, {
      name: "claims.jsonl",
      entryOf: claimOf,
      write: claimLine,
      accept: ({ experiment, attempt, nonce, number }) =>
        addClaims(this.#ledger, [{ experiment, attempt, nonce, resumesFrom: number }]),
    });
    await this.#readFile(folder, {
      name: "events.jsonl",
      entryOf: eventOf,
      write: eventLine,
      accept: (entry) => this.#acceptEvent(entry),
    });
    this.#writeEvents();
  }

  async #readFile(folder: string, file: LineFile): Promise<void> {
    await using opened = await openPlainFile(join(folder, file.name), bundleLimits.fileBytes(file.name));
    const { lines, extent } = fileLines(opened, bundleLimits.lineBytes);
    let number = 0;
    try {
      for await (const line of lines) {
        number += 1;
        this.#readLine(`${file.name}:${number}`, line, file);
      }
    } catch (error) {
      note(this.faults, { place: `${file.name}:${number + 1}`, recorded: messageOf(error) });
    }
    this.#lines += number;
    this.files.set(file.name, extent());
  }

  #readLine(place: string, line: string, { entryOf, write, accept }: LineFile): void {
    try {
      const fields = objectOf(JSON.parse(line));
      const entry = entryOf(fields, this.#experiment);
      const link = digestOf(fields["link"]);
      const written = write(entry, link);
      if (`${line}\n` !== written) note(this.faults, { place, recorded: line, computed: written });
      accept(entry);
      this.#follow(`${place}, ${entryName(entry)}`, entry, link);
    } catch (error) {
      note(this.faults, { place, recorded: line, computed: messageOf(error) });
    }
  }

  /** A link that does not follow is told, and believed by the next line: so the place of the fault is the only one that is told. */
  #follow(place: string, entry: ChainEntry, link: string): void {
    const computed = hexOf(nextLink(this.#link, entryDigest(entry)));
    if (computed !== link) note(this.linkFaults, { place, recorded: link, computed });
    this.#link = Buffer.from(link, "hex");
  }

  #acceptEvent(entry: ChainEntry): void {
    const kind = entry.kind as KindName;
    const event = { kind, message: readPayload(kind, entry.payload) } as LedgerEvent;
    const known = ledgerEntry(event);
    const fields = ["experiment", "attempt", "nonce", "number", "detail", "payload"] as const;
    const differing = fields.find((field) => known[field] !== entry[field]);
    if (differing !== undefined) throw new Error(`its payload says that its ${differing} is ${known[differing]}`);
    this.#events.push(event);
    if (this.#events.length >= batchLines) this.#writeEvents();
  }

  #writeEvents(): void {
    const { refused } = this.#writer.append(this.#events);
    this.#events = [];
    for (const { kind, reason } of refused) note(this.faults, { place: `events.jsonl: ${kind}`, recorded: reason });
  }
}

/** The first of them are enough. */
function note(found: Found[], fault: Found): void {
  if (found.length < maximumDifferences) found.push(fault);
}

function claimOf(fields: Fields, experiment: string): ChainEntry {
  const { attempt, nonce, resumesFrom } = fields;
  const number = countOf(resumesFrom, "resumesFrom");
  return {
    experiment,
    kind: claimKind,
    attempt: countOf(attempt, "attempt"),
    nonce: textOf(nonce, "nonce"),
    number,
    detail: "",
    payload: "",
  };
}

function eventOf(fields: Fields, experiment: string): ChainEntry {
  const kind = textOf(fields["kind"], "kind");
  if (!canonicalKinds.includes(kind)) throw new Error(`${kind} is no kind of event`);
  return {
    experiment,
    kind,
    attempt: countOf(fields["attempt"], "attempt"),
    nonce: textOf(fields["nonce"], "nonce"),
    number: countOf(fields["number"], "number"),
    detail: textOf(fields["detail"], "detail"),
    payload: JSON.stringify(objectOf(fields["payload"])),
  };
}

function objectOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error("it is no object");
}

function countOf(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`its ${name} is no count`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new Error(`its ${name} is no text`);
}

function digestOf(value: unknown): string {
  if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return value;
  throw new Error("its link is no SHA-256 in hex");
}
