/** How often a key may be wrong: guessing a key of 256 bits is hopeless, but asking costs us something, and fills the log. */

const mostPerMinute = 10;
const mostAddresses = 10_000;
const minuteMs = 60_000;

interface Attempts {
  count: number;
  readonly sinceMs: number;
}

export class LoginAttempts {
  readonly #byAddress = new Map<string, Attempts>();

  /** Counts an attempt before it is judged, so that many at once are not more than one after another. @returns whether it may be made */
  take(address: string, nowMs: number): boolean {
    const known = this.#byAddress.get(address);
    if (known !== undefined && nowMs - known.sinceMs < minuteMs) return ++known.count <= mostPerMinute;
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { count: 1, sinceMs: nowMs });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > mostAddresses && oldest !== undefined) this.#byAddress.delete(oldest);
    return true;
  }

  /** The key was right. */
  forgive(address: string): void {
    const known = this.#byAddress.get(address);
    if (known !== undefined) known.count -= 1;
  }
}
