/** Everything that is known of one experiment, gathered from files, streams and the wire, before anything is concluded. */
import { join } from "node:path";
import type { Gap } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import type { Wire } from "../system/wire.ts";
import { type EventRow, type LedgerContent, ledgerContent, streamContent } from "./event-rows.ts";
import { claimedNonces, lateManifests, type StoredCheckpoint, storedCheckpoints } from "./stored-checkpoints.ts";

/** A system that is looked at from outside. */
export interface ObservedSystem {
  /** Folder of its blobs and of the report service's ledger. */
  readonly state: string;
  readonly brokerUrl: string;
}

export interface Evidence {
  readonly experiment: string;
  /** Micro-step that it goes on from, for a fork; else 0. */
  readonly beginsAt: number;
  readonly ledger: readonly EventRow[];
  /** Identities that two different events have claimed. */
  readonly contradictions: readonly string[];
  readonly stream: readonly EventRow[];
  /** Identities whose publication the broker has acknowledged, as far as it was heard. */
  readonly acknowledged: readonly string[];
  readonly checkpoints: readonly StoredCheckpoint[];
  /** By attempt. */
  readonly nonces: ReadonlyMap<number, string>;
  /** By attempt, manifests that it wrote after a later attempt had begun. */
  readonly lateManifests: ReadonlyMap<number, readonly string[]>;
  /** Micro-steps of the checkpoints that the trainer lists. */
  readonly listed: readonly number[];
  /** What the record says is missing. */
  readonly gaps: readonly Gap[];
  /** Whether the broker's disk was replaced by an older one while it ran. */
  readonly isRolledBack: boolean;
  /** Micro-steps of checkpoints that a fault has damaged. */
  readonly damaged: ReadonlySet<number>;
  /** Attempts that were training when their worker was asked to end. */
  readonly drained: ReadonlySet<number>;
}

/** @param told what only the services can say */
export async function gather(
  system: ObservedSystem,
  wire: Wire,
  experiment: string,
  told: Pick<Evidence, "listed" | "gaps" | "beginsAt" | "isRolledBack" | "damaged" | "drained">,
): Promise<Evidence> {
  const stream = await streamContent(system.brokerUrl, experiment);
  const acknowledged = wire.acknowledgedOf(experiment);
  const { events, contradictions } = await ledgerHolding(system, experiment, [
    ...acknowledged,
    ...stream.map(({ id }) => id),
  ]);
  const blobs = join(system.state, "blobs");
  return {
    ...told,
    experiment,
    contradictions,
    ledger: events,
    stream,
    acknowledged,
    checkpoints: storedCheckpoints(blobs, experiment),
    nonces: claimedNonces(blobs, experiment),
    lateManifests: lateManifests(blobs, experiment),
  };
}

/** What was acknowledged a moment ago may be on its way. */
const onTheWayMs = 30_000;

async function ledgerHolding(
  system: ObservedSystem,
  experiment: string,
  ids: readonly string[],
): Promise<LedgerContent> {
  const content = () => ledgerContent(join(system.state, "report", "ledger.sqlite"), experiment);
  const holdsAll = () => {
    const known = new Set(content().events.map(({ id }) => id));
    return ids.every((id) => known.has(id));
  };
  await until(holdsAll, { timeoutMs: onTheWayMs }).catch(() => undefined); // then something is lost, and found
  return content();
}
