/** What the bits of past steps depended on: whose steps they are, and where those attempts computed. */
import type { BlobStore } from "@pretrain/blobs";
import type { CheckpointState } from "@pretrain/checkpoint";
import type { Broker } from "@pretrain/events";
import type { AttemptStarted } from "@pretrain/proto";
import { differences, exactnessOf } from "../attempt/environment.ts";
import { claimsBack, countingAttempts } from "./counting-attempts.ts";

export interface PastEnvironment {
  readonly deviceBatchRows: number;
  /** As in a checkpoint's state. */
  readonly exactness: Readonly<Record<string, string>>;
}

export interface PastConditions {
  /** Those whose steps are computed again, that of the last step first. */
  readonly attempts: readonly number[];
  /** By attempt; one of which nothing is known any more is missing. */
  readonly environments: ReadonlyMap<number, PastEnvironment>;
}

export interface PastSteps {
  /** `experiments/{id}`, and the id alone. */
  readonly name: string;
  readonly experiment: string;
  /** The last attempt that trained. */
  readonly lastAttempt: number;
  /** What they are computed again from; undefined: from the beginning. */
  readonly checkpoint: CheckpointState | undefined;
  readonly upTo: number;
}

export interface ConditionStores {
  readonly broker: Pick<Broker, "follow">;
  readonly blobs: BlobStore;
}

/** Only where an event is lost it is waited for so long. */
const patienceMs = 10_000;

export async function pastConditions(
  { broker, blobs }: ConditionStores,
  { name, experiment, lastAttempt, checkpoint, upTo }: PastSteps,
  signal: AbortSignal,
): Promise<PastConditions> {
  const from = checkpoint?.microStep ?? 0;
  const claims = await claimsBack(blobs, experiment, lastAttempt, from);
  const attempts = countingAttempts(claims, from, upTo);
  const told = await toldEnvironments(broker, name, attempts, signal);
  return { attempts, environments: withCheckpoint(told, checkpoint, attempts) };
}

/** As the attempts' events say. */
async function toldEnvironments(
  broker: Pick<Broker, "follow">,
  experiment: string,
  attempts: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PastEnvironment>> {
  const found = new Map<number, PastEnvironment>();
  const until = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for await (const { message } of broker.follow({ experiment, kinds: ["attempt"], from: "all" }, until)) {
    const environment = environmentOf(message);
    if (attempts.includes(message.attempt) && environment !== undefined) found.set(message.attempt, environment);
    if (found.size === attempts.length) break;
  }
  signal.throwIfAborted();
  return found;
}

function environmentOf({ environment, deviceBatchRows }: AttemptStarted): PastEnvironment | undefined {
  return environment && { deviceBatchRows, exactness: exactnessOf(environment, deviceBatchRows) };
}

/** Where an event is lost, the checkpoint says the same of the attempt that wrote it. */
function withCheckpoint(
  told: ReadonlyMap<number, PastEnvironment>,
  checkpoint: CheckpointState | undefined,
  attempts: readonly number[],
): ReadonlyMap<number, PastEnvironment> {
  const { attempt = 0, exactness = {} } = checkpoint ?? {};
  const deviceBatchRows = Number(exactness["device_batch_rows"]);
  if (told.has(attempt) || !attempts.includes(attempt) || !(deviceBatchRows > 0)) return told;
  return new Map([...told, [attempt, { exactness, deviceBatchRows }]]);
}

/** What differs from where the steps were computed, in words for a person. Empty: they have the same bits now. */
export function inexactness(
  { attempts, environments }: PastConditions,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  const found = attempts.flatMap((attempt) => {
    const then = environments.get(attempt);
    return then === undefined
      ? [`attempt ${attempt}: where it computed is not known`]
      : differences(then.exactness, now);
  });
  return [...new Set(found)];
}
