/** Where past attempts computed, as their events say: what the bits of their steps depend on. */
import type { Broker } from "@pretrain/events";
import type { AttemptStarted } from "@pretrain/proto";
import { exactnessOf } from "../attempt/environment.ts";

/** Only where an event is lost it is waited for so long. */
const patienceMs = 10_000;

export interface PastEnvironment {
  readonly deviceBatchRows: number;
  /** As in a checkpoint's state. */
  readonly exactness: Readonly<Record<string, string>>;
}

/** By attempt; one whose event the stream does not hold any more is missing. */
export async function pastEnvironments(
  broker: Pick<Broker, "follow">,
  experiment: string,
  attempts: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PastEnvironment>> {
  const found = new Map<number, PastEnvironment>();
  const until = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  for await (const { message } of broker.follow({ experiment, kinds: ["attempt"], from: "all" }, until)) {
    const known = environmentOf(message);
    if (attempts.includes(message.attempt) && known !== undefined) found.set(message.attempt, known);
    if (found.size === new Set(attempts).size) break;
  }
  signal.throwIfAborted();
  return found;
}

function environmentOf({ environment, deviceBatchRows }: AttemptStarted): PastEnvironment | undefined {
  return environment && { deviceBatchRows, exactness: exactnessOf(environment, deviceBatchRows) };
}
