/** `chain`: every event that came is there as it came, and the chain over them ends where the record says that it does. */
import type { Chain, Verification_Check } from "@pretrain/proto";
import { canonicalChain, FoldedChain } from "../ledger/canonical-chain.ts";
import { canonicalEntries } from "../ledger/canonical-entries.ts";
import { brokenLinks, lostEntries, unlinkedEntries } from "../ledger/links-fault.ts";
import type { Ledger } from "../ledger/open-ledger.ts";
import { checked, type Found, maximumDifferences } from "./check.ts";

/**
 * @param published of the record as it was published; undefined while there is none
 * @param linkFaults of the chain in which the events came
 */
export function checkChain(
  ledger: Ledger,
  experiment: string,
  published: Chain | undefined,
  linkFaults: readonly Found[],
): Verification_Check {
  const computed = canonicalChain(ledger, experiment);
  const found = [
    ...linkFaults,
    ...(published === undefined ? [] : chainDifference(ledger, experiment, published, computed)),
  ];
  return checked("chain", `${computed.events} events and claims, head ${computed.headSha256}`, found);
}

/** Of the chain in order of arrival, which the ledger keeps. */
export function arrivalFaults(ledger: Ledger, experiment: string): Found[] {
  const broken = brokenLinks(ledger, experiment).take(maximumDifferences).toArray();
  return [
    ...broken.map(({ event, ordinal, recorded, computed }) => ({
      place: `link ${ordinal}, of ${event}`,
      recorded,
      computed,
    })),
    ...lostEntries(ledger, experiment, maximumDifferences).map((event) => ({
      place: event,
      recorded: "came into the ledger",
      computed: "is not there as it came",
    })),
    ...unlinkedEntries(ledger, experiment, maximumDifferences).map((event) => ({
      place: event,
      recorded: "is in the ledger",
      computed: "never came",
    })),
  ];
}

/** One difference: everything behind the first is another chain. The record's marks tell between which events it is. */
function chainDifference(ledger: Ledger, experiment: string, published: Chain, computed: Chain): Found[] {
  const isSame = published.headSha256 === computed.headSha256 && published.events === computed.events;
  const again = foldedAs(ledger, experiment, published);
  const index = published.marks.findIndex(({ sha256 }, place) => again.marks[place]?.sha256 !== sha256);
  if (isSame && index < 0 && published.marks.length === computed.marks.length) return [];
  const before = published.marks[index < 0 ? published.marks.length - 1 : index - 1]?.event ?? "the first event";
  const until = index < 0 ? "the end" : (published.marks[index]?.event ?? "the end");
  return [
    {
      place: `events from ${before} to ${until}`,
      section: "chain",
      recorded: `${published.events} events, head ${published.headSha256}`,
      computed: `${computed.events} events, head ${computed.headSha256}`,
    },
  ];
}

/** With marks at the same places as the record's. */
function foldedAs(ledger: Ledger, experiment: string, { events }: Chain): Chain {
  const folded = new FoldedChain(Number(events));
  for (const entry of canonicalEntries(ledger, experiment, "digests")) folded.add(entry, entry.digest);
  return folded.chain;
}
