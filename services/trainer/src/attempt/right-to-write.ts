/**
 * Whether an attempt may write: asked before every event, blob and record of it.
 *
 *     lease held       yes
 *     lease overdue    nobody has heard of it for a while: yes, unless the blob store knows a later attempt
 *     lease lost       no, and never again
 *
 * An overdue lease is no reason to stop: while the broker is away nobody else can take one, and training waits for no broker. A
 * process that was stopped for longer than its lease lives finds it overdue with its first instruction, and so looks at the claims.
 */
import type { BlobStore } from "@pretrain/blobs";
import { type AttemptClaim, isFenced } from "@pretrain/checkpoint";
import type { Lease } from "@pretrain/leases";
import { Fenced } from "./faults.ts";
import { patiently } from "./patiently.ts";

export class RightToWrite {
  readonly #lease: Pick<Lease, "standing">;
  readonly #claim: AttemptClaim;
  readonly #blobs: BlobStore;

  constructor(lease: Pick<Lease, "standing">, claim: AttemptClaim, blobs: BlobStore) {
    this.#lease = lease;
    this.#claim = claim;
    this.#blobs = blobs;
  }

  /** Resolves when the attempt may write now. @throws Fenced when it may not; AttemptFault when the store is away for long */
  async check(): Promise<void> {
    const standing = this.#lease.standing();
    if (standing === "lost") throw this.#fenced();
    if (standing === "overdue") await this.checkClaims();
  }

  /** The same by the claims alone. They are what decides; the lease only spares the question. */
  async checkClaims(): Promise<void> {
    const isOver = await patiently(() => isFenced(this.#blobs, this.#claim), new AbortController().signal);
    if (isOver) throw this.#fenced();
  }

  #fenced(): Fenced {
    return new Fenced(`attempt ${this.#claim.attempt} does not hold ${this.#claim.experiment} any more`);
  }
}
