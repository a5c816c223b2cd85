/** Whether the chains of arrival are whole: every link follows from the one before, and every entry has its link. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { entryName, nextLink, noLink } from "./entry-digest.ts";
import type { Ledger } from "./open-ledger.ts";

type Holder = Pick<Ledger, "database">;

export interface BrokenLink {
  /** Name of the event that the link is of. */
  readonly event: string;
  readonly ordinal: number;
  /** What is written there, and what follows from the link before, in hex. */
  readonly recorded: string;
  readonly computed: string;
}

/** The links of an experiment, from the first; one that does not follow from what is written before it is told, and believed by the next. */
export function* brokenLinks({ database }: Holder, experiment: string): Generator<BrokenLink> {
  let [ordinal, head]: [number, Uint8Array] = [0, noLink];
  const links = database.prepare(
    "SELECT ordinal, event, digest, head FROM links WHERE experiment = ? ORDER BY ordinal",
  );
  for (const row of links.iterate(experiment)) {
    const [found, next] = [bytesOf(row["head"]), Number(row["ordinal"])];
    const computed = nextLink(head, bytesOf(row["digest"]));
    if (next !== ordinal + 1 || computed.compare(found) !== 0) {
      yield { event: String(row["event"]), ordinal: next, recorded: hexOf(found), computed: computed.toString("hex") };
    }
    [ordinal, head] = [next, found];
  }
}

/** Names of entries that came, by their links, and are not there as they came. */
export function lostEntries({ database }: Holder, experiment: string, limit: number): string[] {
  return database
    .prepare(`
      SELECT event FROM links WHERE experiment = :experiment
        AND digest NOT IN (SELECT digest FROM entries WHERE experiment = :experiment)
      ORDER BY ordinal LIMIT :limit`)
    .all({ experiment, limit })
    .map(({ event }) => String(event));
}

/** Names of entries that never came as they are now. */
export function unlinkedEntries({ database }: Holder, experiment: string, limit: number): string[] {
  return database
    .prepare(`
      SELECT kind, attempt, nonce, number, detail FROM entries WHERE experiment = :experiment
        AND digest NOT IN (SELECT digest FROM links WHERE experiment = :experiment)
      LIMIT :limit`)
    .all({ experiment, limit })
    .map(nameOf);
}

/** The first fault of all chains, in words. */
export function faultOfLinks(ledger: Holder): string | undefined {
  const { database } = ledger;
  const chains = database.prepare("SELECT DISTINCT experiment FROM links").all();
  for (const experiment of chains.map((row) => String(row["experiment"]))) {
    const [broken] = brokenLinks(ledger, experiment);
    if (broken !== undefined) {
      return `the chain of ${experiment} is broken at its link ${broken.ordinal}, of ${broken.event}`;
    }
  }
  return sumOfDigests(database, "links") === sumOfDigests(database, "entries") ? undefined : namedDifference(ledger);
}

/** Counts the digests and adds them up bit by bit: what is in one and not in the other shows, without a set of all of them. */
function sumOfDigests(database: DatabaseSync, table: "links" | "entries"): string {
  const sum = new Uint32Array(8);
  let count = 0;
  const statement = database.prepare(`SELECT digest FROM ${table}`);
  statement.setReturnArrays(true);
  for (const row of statement.iterate()) {
    const digest = bytesOf(Object.values(row)[0]);
    const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    for (let word = 0; word < sum.length; word += 1) sum[word] = (sum[word] ?? 0) ^ words.getUint32(4 * word);
    count += 1;
  }
  return `${count} ${sum.join(" ")}`;
}

function namedDifference(ledger: Holder): string {
  const known = ledger.database.prepare("SELECT experiment FROM links UNION SELECT experiment FROM entries").all();
  for (const experiment of known.map((row) => String(row["experiment"]))) {
    const [lost] = lostEntries(ledger, experiment, 1);
    if (lost !== undefined) return `${lost} of ${experiment} was changed or taken away`;
    const [unlinked] = unlinkedEntries(ledger, experiment, 1);
    if (unlinked !== undefined) return `${unlinked} of ${experiment} was added without a link`;
  }
  return "an entry has two links";
}

function nameOf(row: Record<string, SQLOutputValue>): string {
  return entryName({
    kind: String(row["kind"]),
    attempt: Number(row["attempt"]),
    nonce: String(row["nonce"]),
    number: Number(row["number"]),
    detail: String(row["detail"]),
  });
}

/** A value that is no text of bytes in a table that holds nothing else is damage. */
function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  if (value instanceof Uint8Array && value.length === 32) return value;
  throw new Error("a digest in the ledger is not one");
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
