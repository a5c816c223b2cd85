/** An attempt's number belongs to whoever creates its blob: exclusively, durably, whatever the broker remembers. */
import { randomUUID } from "node:crypto";
import type { BlobStore } from "@pretrain/blobs";
import type { AttemptClaim } from "../experiment/attempt-claim.ts";

/** Most attempts of one experiment. */
const attemptsLimit = 10_000;

function claimKey(experiment: string, attempt: number): string {
  return `experiments/${experiment}/attempts/${attempt}.json`;
}

/**
 * Claims the first number from `attempt` on that nobody has: one above the record's, or more, where an attempt died between
 * its claim and its record.
 */
export async function claimAttempt(
  blobs: BlobStore,
  wanted: Pick<AttemptClaim, "experiment" | "attempt" | "resumesFrom" | "fruitless">,
  now: Date,
): Promise<AttemptClaim> {
  for (let { attempt } = wanted; attempt <= attemptsLimit; attempt += 1) {
    const claim = { ...wanted, attempt, nonce: randomUUID(), time: now.toISOString() };
    const bytes = new TextEncoder().encode(`${JSON.stringify(claim, null, 2)}\n`);
    if (await blobs.create(claimKey(wanted.experiment, attempt), bytes)) return claim;
  }
  throw new Error(`${wanted.experiment} has had ${attemptsLimit} attempts`);
}

/** Undefined when there was no such attempt, or nothing can be read of it: the rule that reads it begins anew then. */
export async function readClaim(
  blobs: BlobStore,
  experiment: string,
  attempt: number,
): Promise<AttemptClaim | undefined> {
  const key = claimKey(experiment, attempt);
  if ((await blobs.stat(key)) === undefined) return undefined;
  return parseClaim(new TextDecoder().decode(await blobs.read(key)));
}

/** Whether a later attempt has begun: then nothing of this one may be written any more. */
export async function isFenced(blobs: BlobStore, { experiment, attempt }: AttemptClaim): Promise<boolean> {
  return (await blobs.stat(claimKey(experiment, attempt + 1))) !== undefined;
}

function parseClaim(text: string): AttemptClaim | undefined {
  const { experiment, attempt, nonce, time, resumesFrom, fruitless } = jsonObject(text);
  const isNamed = typeof experiment === "string" && typeof nonce === "string" && typeof time === "string";
  if (!isNamed || !isCount(attempt) || !isCount(resumesFrom) || !isCount(fruitless)) return undefined;
  return { experiment, attempt, nonce, time, resumesFrom, fruitless };
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
