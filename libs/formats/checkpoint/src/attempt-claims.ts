/**
 * An attempt's number belongs to whoever creates its blob: exclusively, durably, whatever a broker remembers. The claim says
 * from which checkpoint the attempt goes on, and with that which checkpoints of earlier attempts still count (lineage.ts).
 *
 *     experiments/<id>/attempts/<attempt>.json
 */
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { DataLoss, NotFound } from "@pretrain/errors";
import { JsonFields } from "./json-fields.ts";
import { idPattern, noncePattern, sha256Pattern, timePattern } from "./patterns.ts";

export interface AttemptClaim {
  readonly experiment: string;
  /** From 1. */
  readonly attempt: number;
  /** Random: tells two claims of one number apart, should a store ever be rolled back. */
  readonly nonce: string;
  /** When, in UTC. Nothing is decided by it. */
  readonly time: string;
  /** Micro-step of the checkpoint that it goes on from; 0: from the beginning. */
  readonly resumesFrom: number;
  /** Attempts in a row before this one that ended by a fault and got no further than this one's beginning. */
  readonly fruitless: number;
}

/** Most attempts of one experiment. */
export const attemptsLimit = 10_000;

/**
 * Claims the number, if nobody has it.
 *
 * @returns false when the number is taken: what was found out before the claim is old then, and has to be found out again
 * @throws the store's errors; whose the number is then, `readClaim` tells
 */
export function claimAttempt(blobs: BlobStore, claim: AttemptClaim): Promise<boolean> {
  return blobs.create(claimKey(claim.experiment, claim.attempt), encodeClaim(claim));
}

/** @throws NotFound when there was no such attempt; DataLoss CLAIM_DAMAGED */
export async function readClaim(blobs: BlobStore, experiment: string, attempt: number): Promise<AttemptClaim> {
  const key = claimKey(experiment, attempt);
  const found = await blobs.stat(key);
  if (found === undefined) {
    throw new NotFound("ATTEMPT_NOT_FOUND", `there was no attempt ${attempt} of experiments/${experiment}`, { key });
  }
  if (found.sizeBytes > claimLimitBytes) throw damaged(key, `has ${found.sizeBytes} bytes`);
  return decodeClaim(await blobs.read(key), key, { experiment, attempt });
}

/** The numbers that have been claimed, ascending. */
export async function claimedAttempts(blobs: BlobStore, experiment: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { key } of blobs.list(`experiments/${experiment}/attempts/`)) {
    const attempt = Number(/\/attempts\/([1-9][0-9]{0,5})\.json$/.exec(key)?.[1]);
    if (key === claimKey(experiment, attempt)) numbers.push(attempt);
  }
  return numbers.sort((a, b) => a - b);
}

/** Whether a later attempt has begun: then nothing of this one may be written any more. */
export async function isFenced(
  blobs: BlobStore,
  { experiment, attempt }: Pick<AttemptClaim, "experiment" | "attempt">,
): Promise<boolean> {
  return (await blobs.stat(claimKey(experiment, attempt + 1))) !== undefined;
}

const claimLimitBytes = 4 * 1024;

function claimKey(experiment: string, attempt: number): string {
  return `experiments/${experiment}/attempts/${attempt}.json`;
}

/** With a digest of its own: nothing else vouches for a claim, and one changed digit would change what counts. */
function encodeClaim(claim: AttemptClaim): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ ...claim, sha256: digestOf(claim) }, null, 2)}\n`);
}

function decodeClaim(
  bytes: Uint8Array,
  key: string,
  { experiment, attempt }: Pick<AttemptClaim, "experiment" | "attempt">,
): AttemptClaim {
  const fields = JsonFields.parse(bytes, key);
  const claim: AttemptClaim = {
    experiment: fields.text("experiment", idPattern),
    attempt: fields.count("attempt", 1),
    nonce: fields.text("nonce", noncePattern),
    time: fields.text("time", timePattern),
    resumesFrom: fields.count("resumesFrom"),
    fruitless: fields.count("fruitless"),
  };
  if (fields.text("sha256", sha256Pattern) !== digestOf(claim)) throw damaged(key, "is not what its digest says");
  if (claim.experiment === experiment && claim.attempt === attempt) return claim;
  throw damaged(key, `claims attempt ${claim.attempt} of experiments/${claim.experiment}`);
}

function digestOf({ experiment, attempt, nonce, time, resumesFrom, fruitless }: AttemptClaim): string {
  return sha256Hex(
    new TextEncoder().encode(JSON.stringify([experiment, attempt, nonce, time, resumesFrom, fruitless])),
  );
}

function damaged(key: string, fault: string): DataLoss {
  return new DataLoss("CLAIM_DAMAGED", `${key}: ${fault}`, { key });
}
