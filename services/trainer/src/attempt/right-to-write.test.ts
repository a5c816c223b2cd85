import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttemptClaim, claimAttempt } from "@pretrain/checkpoint";
import { blobsInMemory } from "../test-support/blobs-in-memory.ts";
import { Fenced } from "./faults.ts";
import { RightToWrite } from "./right-to-write.ts";
import { type Wish, Wishes } from "./wishes.ts";

const claimOf = (attempt: number): AttemptClaim => ({
  experiment: "a",
  attempt,
  nonce: `n${attempt}`,
  time: "2025-07-30T15:30:00.000Z",
  resumesFrom: 0,
  fruitless: 0,
});

/** `yes` or `no`, by how the lease stands and by whether a later attempt has begun; and how often the store was asked. */
async function answer(standing: "held" | "overdue" | "lost", isLater: boolean): Promise<string> {
  const blobs = blobsInMemory();
  await claimAttempt(blobs, claimOf(1));
  if (isLater) await claimAttempt(blobs, claimOf(2));
  let asked = 0;
  const stat = (key: string) => {
    asked += 1;
    return blobs.stat(key);
  };
  const right = new RightToWrite({ standing: () => standing }, claimOf(1), { ...blobs, stat });
  try {
    await right.check();
    return `yes ${asked}`;
  } catch (error) {
    assert.ok(error instanceof Fenced);
    return `no ${asked}`;
  }
}

test("an attempt may write while its lease is held; when it is overdue the claims say; when it is lost, never", async () => {
  assert.deepEqual(
    [
      await answer("held", false),
      await answer("overdue", false),
      await answer("overdue", true),
      await answer("lost", false),
      await answer("lost", true),
    ],
    ["yes 0", "yes 1", "no 1", "no 0", "no 0"],
  );
});

test("a stronger wish replaces a weaker one, of equally strong ones the first counts, and each that counts is told of", () => {
  const wishes = new Wishes();
  const heard: Wish[] = [];
  wishes.onWish((wish) => heard.push(wish));
  for (const wish of [
    "pause",
    "shutdown",
    "preempt",
    "cancel",
    "pause",
    "abandon",
    "cancel",
    "fenced",
    "abandon",
  ] as const) {
    wishes.make(wish);
  }
  assert.deepEqual(heard, ["pause", "cancel", "abandon", "fenced"]);
});
