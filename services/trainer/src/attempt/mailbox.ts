/** Messages in the order of their arrival, for one reader who waits with a limit. */
export class Mailbox<T> {
  readonly #waiting: T[] = [];
  #failure: Error | undefined;
  #arrived = Promise.withResolvers<void>();

  put(message: T): void {
    this.#waiting.push(message);
    this.#arrived.resolve();
  }

  /** No message will come any more. What has arrived is still handed out. */
  end(failure: Error): void {
    this.#failure ??= failure;
    this.#arrived.resolve();
  }

  /** Nothing is handed out any more, not even what has arrived. */
  interrupt(failure: Error): void {
    this.#waiting.length = 0;
    this.end(failure);
  }

  /** The next message; undefined when none came within `limitMs`. @throws the failure it was ended with */
  async next(limitMs: number): Promise<T | undefined> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure;
      this.#arrived = Promise.withResolvers();
      if (!(await within(this.#arrived.promise, deadline - performance.now()))) return undefined;
    }
  }
}

/** The longest that a timer takes. */
const timerLimitMs = 2 ** 31 - 1;

async function within(event: Promise<void>, limitMs: number): Promise<boolean> {
  const expired = Promise.withResolvers<void>();
  const timer = setTimeout(expired.resolve, Math.min(timerLimitMs, Math.max(0, limitMs)));
  try {
    return await Promise.race([event.then(() => true), expired.promise.then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}
