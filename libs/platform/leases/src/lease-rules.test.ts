/** What a holder believes, against what the broker knows, over every order of messages, pauses and ends that a seed finds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afterRefusal, heldUntil, standingAt } from "./lease-rules.ts";

const ttl = 1_000;

/** A broker with a clock of its own: one lease, which ends when nobody has renewed it for `ttl`. */
class Broker {
  #lease: { readonly nonce: string; readonly writtenAt: number } | undefined;

  holder(now: number): string | undefined {
    return this.#lease !== undefined && now - this.#lease.writtenAt < ttl ? this.#lease.nonce : undefined;
  }

  write(now: number, nonce: string): void {
    this.#lease = { nonce, writtenAt: now };
  }
}

/** A worker whose clock shows another time than the broker's, and who may be stopped anywhere: its clock runs on. */
class Worker {
  readonly #nonce: string;
  readonly #offset: number;
  #until = Number.NEGATIVE_INFINITY;

  constructor(nonce: string, offset: number) {
    this.#nonce = nonce;
    this.#offset = offset;
  }

  believes(now: number): boolean {
    return standingAt(now + this.#offset, this.#until) === "held";
  }

  /** Takes or renews it. @param asked and `arrived` are the broker's times   @returns what the answer makes it believe */
  ask(asked: number, arrived: number, broker: Broker): () => void {
    const isGranted = afterRefusal(broker.holder(arrived), this.#nonce) !== "theirs";
    if (isGranted) broker.write(arrived, this.#nonce);
    return () => {
      if (isGranted) this.#until = heldUntil(asked + this.#offset, ttl);
    };
  }
}

const times = fc.oneof(fc.nat(20), fc.nat(400), fc.nat(5_000)); // also longer than the lease lives
const turns = fc.array(
  fc.record({ who: fc.nat(2), pause: times, toBroker: times, fromBroker: times, isAnswered: fc.boolean() }),
  { maxLength: 40, size: "max" },
);
const offsets = fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 3, maxLength: 3 });

test("of three workers, whatever is late, lost or stopped and whatever their clocks show, at most one believes that it holds the lease", () => {
  const property = fc.property(turns, offsets, (all, clocks) => {
    const broker = new Broker();
    const workers = clocks.map((offset, i) => new Worker(`${i}`, offset));
    let now = 0;
    const pass = (time: number) => {
      const end = now + time;
      do {
        now = Math.min(end, now + 100);
        assert.ok(workers.filter((worker) => worker.believes(now)).length <= 1);
      } while (now < end);
    };
    for (const { who, pause, toBroker, fromBroker, isAnswered } of all) {
      pass(pause);
      const asked = now;
      pass(toBroker);
      const answered = workers[who]?.ask(asked, now, broker);
      pass(fromBroker);
      if (isAnswered) answered?.();
    }
  });
  fc.assert(property, { numRuns: 2_000 });
});

test("a refused renewal is read by the nonce: ours goes on, a free one may be taken again, another's is lost", () => {
  assert.deepEqual(
    [afterRefusal("a", "a"), afterRefusal(undefined, "a"), afterRefusal("b", "a")],
    ["ours", "free", "theirs"],
  );
});
