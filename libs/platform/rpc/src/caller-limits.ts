/** What one caller may take of a service, so that the others get their answers. */
import type { Caller } from "@pretrain/access";
import { ResourceExhausted } from "@pretrain/errors";
import { type Rate, TokenBuckets } from "./token-buckets.ts";

export interface Limits {
  /** Calls of a person. */
  readonly person: Rate & { readonly atOnce: number };
  /** Calls of all processes of one name: as many workers as there are nodes share it. */
  readonly process: Rate & { readonly atOnce: number };
  /** Refused calls of one address, those of nobody. */
  readonly refused: Rate;
  /** How long the answer to a call beyond a limit is held back, in milliseconds: who asks again at once asks less often by that. */
  readonly holdMs: number;
  /** The longest that a unary call may take, in milliseconds. */
  readonly unaryMs: number;
}

export const defaultLimits: Limits = {
  person: { perSecond: 200, burst: 400, atOnce: 100 },
  process: { perSecond: 2_000, burst: 4_000, atOnce: 2_000 },
  refused: { perSecond: 5, burst: 50 },
  holdMs: 1_000,
  unaryMs: 1_800_000, // the analysis of a large dataset, a step that is explained far behind its checkpoint
};

export class CallerLimits {
  readonly #limits: Limits;
  readonly #rates: Readonly<Record<Caller["kind"], TokenBuckets>>;
  readonly #refused: TokenBuckets;
  readonly #open = new Map<string, number>();

  constructor(limits: Limits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#rates = { person: new TokenBuckets(limits.person, nowMs), process: new TokenBuckets(limits.process, nowMs) };
    this.#refused = new TokenBuckets(limits.refused, nowMs);
  }

  /**
   * @returns to be called when the call has ended
   * @throws ResourceExhausted CALLER_LIMIT
   */
  begin({ kind, name }: Caller): () => void {
    const { perSecond, atOnce } = this.#limits[kind];
    const key = `${kind}:${name}`;
    const open = this.#open.get(key) ?? 0;
    if (open >= atOnce) throw exhausted(name, `${atOnce} calls of "${name}" are open; end one of them first`);
    if (!this.#rates[kind].take(key)) {
      throw exhausted(name, `"${name}" calls more than ${perSecond} times a second; wait, and call less often`);
    }
    this.#open.set(key, open + 1);
    return () => this.#end(key);
  }

  /** @returns whether one more refusal of this address is worth a word in the log */
  refuse(address: string): boolean {
    return this.#refused.take(address);
  }

  #end(key: string): void {
    const open = (this.#open.get(key) ?? 0) - 1;
    if (open > 0) this.#open.set(key, open);
    else this.#open.delete(key);
  }
}

function exhausted(caller: string, message: string): ResourceExhausted {
  return new ResourceExhausted("CALLER_LIMIT", message, { caller });
}
