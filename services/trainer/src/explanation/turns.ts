/** One piece of work at a time. A few may wait for their turn; whoever comes then is sent away. */
import { ResourceExhausted } from "@pretrain/errors";

export class Turns {
  readonly #mostWaiting: number;
  readonly #closing = new AbortController();
  #waiting: (() => void)[] = [];
  #isTaken = false;
  #rest = Promise.withResolvers<void>();

  /** @param mostWaiting beside the one whose turn it is */
  constructor(mostWaiting: number) {
    this.#mostWaiting = mostWaiting;
    this.#rest.resolve();
  }

  /**
   * What `work` returns, when its turn has come and it is done.
   *
   * @param signal gives up, also while it waits   @param work ends when the signal that it gets is aborted
   * @throws ResourceExhausted TOO_MANY_WAIT; what `work` throws; the reason of `signal`, or what `close` was called with
   */
  async take<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const until = AbortSignal.any([signal, this.#closing.signal]);
    until.throwIfAborted();
    await this.#turn(until);
    try {
      until.throwIfAborted();
      return await work(until);
    } finally {
      this.#next();
    }
  }

  /** Ends the work and whatever waits, and refuses the next, all with this reason. Resolves when nothing goes on any more. */
  async close(reason: Error): Promise<void> {
    this.#closing.abort(reason);
    await this.#rest.promise;
  }

  async #turn(until: AbortSignal): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      this.#rest = Promise.withResolvers();
      return;
    }
    const waiting = this.#waiting.length;
    if (waiting >= this.#mostWaiting) {
      const message = `one is worked at and ${waiting} wait already; ask again when some are answered`;
      throw new ResourceExhausted("TOO_MANY_WAIT", message, { waiting: `${waiting}` });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting = this.#waiting.filter((each) => each !== resolve);
      reject(until.reason);
    };
    this.#waiting.push(resolve);
    until.addEventListener("abort", leave, { once: true });
    await promise.finally(() => until.removeEventListener("abort", leave));
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#isTaken = false;
    this.#rest.resolve();
  }
}
