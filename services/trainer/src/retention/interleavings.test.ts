/**
 * Retention, evaluations, forks, and attempts that begin, all at once on one store, in every order that a seed gives: each
 * single call of the store waits until it is its turn. What somebody has begun to read must be there to its last byte.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type BlobStore, type ListedBlob, sha256Hex } from "@pretrain/blobs";
import {
  acquireCheckpoint,
  claimAttempt,
  listCheckpoints,
  releaseCheckpoint,
  type SealedCheckpoint,
  sealCheckpoint,
  verifyCheckpoint,
  writeCheckpointParts,
} from "@pretrain/checkpoint";
import { NotFound } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { lastCheckpoint } from "../attempt/last-checkpoint.ts";
import { applyRetention } from "./apply-retention.ts";
import { writeResult } from "./evaluation-results.ts";

const recipeSha256 = "a".repeat(64);
const time = "2025-07-30T15:30:00.000Z";
const log = createLog("test", "fatal" as "error");

/** A store in memory whose every call happens in one step, when `step` lets it. */
class SteppedBlobs implements BlobStore {
  readonly content = new Map<string, Uint8Array>();
  readonly #step: () => Promise<void>;

  constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>) {
    const pieces = content instanceof Uint8Array ? [content] : await Array.fromAsync(content);
    await this.#step();
    const bytes = Buffer.concat(pieces);
    this.content.set(key, bytes);
    return { key, sizeBytes: bytes.length, sha256: sha256Hex(bytes) };
  }

  async create(key: string, content: Uint8Array) {
    await this.#step();
    if (this.content.has(key)) return false;
    this.content.set(key, content);
    return true;
  }

  async read(key: string) {
    await this.#step();
    const found = this.content.get(key);
    if (found === undefined) throw new NotFound("BLOB_NOT_FOUND", key);
    return found;
  }

  async *stream(key: string) {
    yield await this.read(key);
  }

  async stat(key: string) {
    await this.#step();
    const found = this.content.get(key);
    return found && { sizeBytes: found.length };
  }

  async *list(prefix: string): AsyncGenerator<ListedBlob> {
    await this.#step();
    const keys = [...this.content.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) yield { key, sizeBytes: this.content.get(key)?.length ?? 0 };
  }

  async delete(key: string) {
    await this.#step();
    this.content.delete(key);
  }
}

/** Lets one of the waiting calls happen, chosen by `choose`, until `ended`. */
class Turns {
  readonly #waiting: (() => void)[] = [];

  readonly step = () => new Promise<void>((resolve) => this.#waiting.push(resolve));

  async run(choose: (count: number) => number, deeds: readonly Promise<unknown>[]): Promise<void> {
    let isOver = false;
    const all = Promise.all(deeds);
    const over = () => (isOver = true);
    all.then(over, over);
    while (!isOver) {
      await turn();
      this.#waiting.splice(choose(this.#waiting.length), 1)[0]?.();
    }
    await all;
  }
}

async function write(blobs: BlobStore, attempt: number, microStep: number): Promise<SealedCheckpoint> {
  const shared = {
    experiment: "a",
    attempt,
    attemptNonce: `nonce-${attempt}`,
    microStep,
    optimizerStep: microStep,
    epoch: 1,
    tokensSeen: 1,
    recipeSha256,
    dataset: "d",
  };
  const state = { ...shared, cursor: { epoch: 1, row: 1 }, seed: 1, datasetSha256: "d".repeat(64), exactness: {} };
  const parts = await writeCheckpointParts(blobs, { model: new Map(), optimizer: new Map(), state });
  return await sealCheckpoint(blobs, { ...shared, parts, final: false, createTime: time, writeSeconds: 0 });
}

async function claim(blobs: BlobStore, attempt: number, resumesFrom: number): Promise<boolean> {
  return await claimAttempt(blobs, { experiment: "a", attempt, nonce: `n${attempt}`, time, resumesFrom, fruitless: 0 });
}

/** Reads like an evaluation: acquires, looks at it twice, lets go. @returns whether it was there */
async function read(blobs: BlobStore, microStep: number, holder: string): Promise<boolean> {
  const id = { experiment: "a", microStep };
  let sealed: SealedCheckpoint;
  try {
    sealed = await acquireCheckpoint(blobs, id, holder);
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
  for (let again = 0; again < 2; again += 1) await verifyCheckpoint(blobs, sealed); // DataLoss: a missing read
  await releaseCheckpoint(blobs, id, holder);
  return true;
}

/** Lets others go on. */
async function moments(blobs: BlobStore, calls: number): Promise<void> {
  for (let call = 0; call < calls; call += 1) await blobs.stat("a moment");
}

/** Begins like an attempt: finds, holds, claims, loads. @returns micro-step that it went on from */
async function begin(blobs: BlobStore, name: string): Promise<number> {
  for (;;) {
    const holder = (attempt: number) => `attempt-${attempt + 1}-${name}`;
    const last = await lastCheckpoint(blobs, "a", recipeSha256, holder, () => moments(blobs, 30));
    assert.deepEqual(last.damaged, []);
    const from = last.resume?.manifest.microStep ?? 0;
    if (await claim(blobs, last.lastAttempt + 1, from)) {
      if (last.resume !== undefined) await verifyCheckpoint(blobs, last.resume);
      await last.release();
      return from;
    }
    await last.release();
  }
}

/** A generator of whole numbers below `count`, the same for the same seed: mulberry32. */
function chooser(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  };
}

async function interleaved(seed: number): Promise<{ reads: number; removed: number }> {
  const turns = new Turns();
  const blobs = new SteppedBlobs(turns.step);
  const choose = chooser(seed);
  const prepare = async () => {
    await claim(blobs, 1, 0);
    for (const step of [10, 20, 30, 40]) {
      const { manifestSha256 } = await write(blobs, 1, step);
      const lossNatsPerToken = 1 + choose(9);
      await writeResult(blobs, { experiment: "a", microStep: step }, `a-${step}`, { manifestSha256, lossNatsPerToken });
    }
    await blobs.put("experiments/a/checkpoints/10/notes/of-a-person.txt", Buffer.from("do not touch"));
  };
  await turns.run(() => 0, [prepare()]);
  const removed = new Set<number>();
  const retention = { keepLast: 1 + choose(2), keepBest: choose(2), keepEvery: 0 };
  const remover = () => {
    const announce = async ({ manifest }: SealedCheckpoint) => void removed.add(manifest.microStep);
    const dependencies = {
      blobs,
      announce,
      now: () => new Date(time),
      log,
      verified: new Set<string>(),
      swept: new Set<string>(),
    };
    return applyRetention(dependencies, "a", retention);
  };
  let reads = 0;
  const reader = async (microStep: number, holder: string) => {
    await moments(blobs, choose(60));
    if (await read(blobs, microStep, holder)) reads += 1;
  };
  const trainer = async () => {
    const { manifestSha256 } = await write(blobs, 1, 50); // attempt 1 lives on
    await writeResult(blobs, { experiment: "a", microStep: 50 }, "a-50", { manifestSha256, lossNatsPerToken: 5 });
  };
  const steps = [10, 20, 30, 40];
  // Mostly whoever came last goes on, so that one does a lot while another one waits between two calls.
  const inBursts = (count: number) => (choose(4) > 0 ? Math.max(0, count - 1) : choose(count));
  await turns.run(inBursts, [
    remover(),
    remover(),
    trainer().then(remover),
    reader(steps[choose(4)] ?? 10, "evaluation-a"),
    reader(steps[choose(4)] ?? 10, "fork-b"),
    moments(blobs, choose(60))
      .then(() => begin(blobs, "x"))
      .then((from) => assert.ok(from >= 40, `went on from ${from}`)),
    moments(blobs, choose(60))
      .then(() => begin(blobs, "y"))
      .then((from) => assert.ok(from >= 40, `went on from ${from}`)),
  ]);
  await turns.run(() => 0, [check(blobs)]);
  return { reads, removed: removed.size };
}

/** Everything that is listed is whole, what an attempt would go on from is there, and what is a person's too. */
async function check(blobs: SteppedBlobs): Promise<void> {
  const { checkpoints, damaged } = await listCheckpoints(blobs, "a");
  assert.deepEqual(damaged, []);
  assert.ok((checkpoints.at(-1)?.manifest.microStep ?? 0) >= 40);
  for (const sealed of checkpoints) await verifyCheckpoint(blobs, sealed);
  assert.ok(blobs.content.has("experiments/a/checkpoints/10/notes/of-a-person.txt"));
}

test("1,000 interleavings of retention, evaluation, fork and resume: no read misses a byte", async (t) => {
  const rounds = Number(process.env["PRETRAIN_INTERLEAVINGS"] ?? 1_000);
  const first = Number(process.env["PRETRAIN_SEED"] ?? 1);
  let [reads, removed] = [0, 0];
  for (let seed = first; seed < first + rounds; seed += 1) {
    const found = await interleaved(seed).catch((cause: unknown) => {
      throw new Error(`with PRETRAIN_SEED=${seed} PRETRAIN_INTERLEAVINGS=1`, { cause });
    });
    reads += found.reads;
    removed += found.removed;
  }
  t.diagnostic(`${rounds} interleavings: ${reads} reads of readers that began, ${removed} removals, 0 missing`);
  assert.ok(rounds < 100 || (reads < 1.9 * rounds && removed > rounds / 4), "they come into each other's way");
});
