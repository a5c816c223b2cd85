/** Taking a lease and keeping it. The broker ends what nobody renews; it is renewed three times in that time. */
import { create } from "@bufbuild/protobuf";
import { Aborted, AlreadyExists, messageOf, Unavailable } from "@pretrain/errors";
import type { ExpiringRecords } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import { LeaseSchema, type Lease as StoredLease } from "@pretrain/proto";
import { afterRefusal, heldUntil, type Standing, standingAt } from "./lease-rules.ts";

export interface LeaseOptions {
  /** The attempt that it is for, as far as it is known yet. */
  readonly attempt: number;
  /** Random: whose it is. */
  readonly nonce: string;
  /** Who asks, for a person who looks. */
  readonly worker: string;
  /** Whether somebody has begun after us, while the lease was nobody's: then it is not taken again. */
  readonly isSuperseded: () => Promise<boolean>;
}

export interface Lease extends AsyncDisposable {
  /** To be asked before every write. By the clock, so that a process which was stopped knows it with its first instruction. */
  standing(): Standing;
  /** What it says of its attempt from the next renewal on. */
  isFor(attempt: number): void;
  /** Aborted when it is known that somebody else has it. */
  readonly lost: AbortSignal;
  /** Lets it go, so that the next one need not wait. It is not renewed any more in any case. Never throws. */
  [Symbol.asyncDispose](): Promise<void>;
}

export class Leases {
  readonly #records: ExpiringRecords<StoredLease>;
  readonly #ttlMs: number;
  readonly #log: Log;

  /** @param ttlMs how long a lease lives that nobody renews, in milliseconds */
  constructor(records: ExpiringRecords<StoredLease>, ttlMs: number, log: Log) {
    this.#records = records;
    this.#ttlMs = ttlMs;
    this.#log = log;
  }

  /** Whether somebody has it now. @throws Unavailable when the broker does not answer */
  async isHeld(key: string): Promise<boolean> {
    return (await this.#records.get(key)) !== undefined;
  }

  /** Undefined when somebody has it. @throws Unavailable when the broker does not answer: it expires then if it was granted */
  async acquire(key: string, options: LeaseOptions): Promise<Lease | undefined> {
    const askedAt = performance.now();
    try {
      const revision = await this.#records.create(key, storedLease(options), this.#ttlMs);
      const granted = { revision, until: heldUntil(askedAt, this.#ttlMs) };
      return new RenewedLease({ records: this.#records, key, ttlMs: this.#ttlMs, log: this.#log, ...options }, granted);
    } catch (error) {
      if (error instanceof AlreadyExists) return undefined;
      throw error;
    }
  }
}

interface Renewing extends LeaseOptions {
  readonly records: ExpiringRecords<StoredLease>;
  readonly key: string;
  readonly ttlMs: number;
  readonly log: Log;
}

class RenewedLease implements Lease {
  readonly #renewing: Renewing;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #revision: number;
  #until: number;
  #attempt: number;
  #busy: Promise<void> = Promise.resolve();
  #isRenewing = false;

  constructor(renewing: Renewing, { revision, until }: { readonly revision: number; readonly until: number }) {
    this.#renewing = renewing;
    this.#revision = revision;
    this.#until = until;
    this.#attempt = renewing.attempt;
    this.#timer = setInterval(() => this.#renewOnce(), renewing.ttlMs / 3);
  }

  standing(): Standing {
    return this.#lost.signal.aborted ? "lost" : standingAt(performance.now(), this.#until);
  }

  isFor(attempt: number): void {
    this.#attempt = attempt;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#busy;
    if (this.#lost.signal.aborted) return;
    const { records, key, log } = this.#renewing;
    await records
      .remove(key, this.#revision)
      .catch((error: unknown) => log.warn({ lease: key, reason: messageOf(error) }, "a lease is left to expire"));
  }

  /** One renewal at a time: of two the broker would refuse one. */
  #renewOnce(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    this.#busy = this.#renew().finally(() => {
      this.#isRenewing = false;
    });
  }

  async #renew(): Promise<void> {
    const { records, key, ttlMs, log } = this.#renewing;
    const askedAt = performance.now();
    try {
      this.#granted(askedAt, await records.renew(key, this.#stored(), this.#revision, ttlMs));
    } catch (error) {
      if (error instanceof Aborted) return await this.#refused().catch((cause: unknown) => this.#later(cause));
      this.#later(error);
    }
    if (this.standing() === "overdue") log.warn({ lease: key }, "the lease was renewed too late to be sure of it");
  }

  async #refused(): Promise<void> {
    const { records, key, ttlMs, isSuperseded } = this.#renewing;
    const found = await records.get(key);
    const meaning = afterRefusal(found?.value.attemptNonce, this.#renewing.nonce);
    if (meaning === "ours" && found !== undefined) {
      this.#revision = found.revision; // renewed from there at the next turn
      return;
    }
    if (meaning === "theirs" || (await isSuperseded())) return this.#lose();
    const askedAt = performance.now();
    this.#granted(askedAt, await records.create(key, this.#stored(), ttlMs));
  }

  #stored(): StoredLease {
    return storedLease({ ...this.#renewing, attempt: this.#attempt });
  }

  #granted(askedAt: number, revision: number): void {
    this.#revision = revision;
    this.#until = heldUntil(askedAt, this.#renewing.ttlMs);
  }

  #later(error: unknown): void {
    const { key, log } = this.#renewing;
    if (error instanceof AlreadyExists) return this.#lose();
    if (!(error instanceof Unavailable)) log.error({ lease: key, err: error }, "a lease cannot be renewed");
    else log.warn({ lease: key, reason: messageOf(error) }, "a lease is renewed later");
  }

  #lose(): void {
    clearInterval(this.#timer);
    this.#renewing.log.warn({ lease: this.#renewing.key }, "the lease is lost: somebody else holds it");
    this.#lost.abort(new Error(`the lease of ${this.#renewing.key} is lost`));
  }
}

function storedLease({ attempt, nonce, worker }: Omit<LeaseOptions, "isSuperseded">): StoredLease {
  return create(LeaseSchema, { attempt, attemptNonce: nonce, worker });
}
