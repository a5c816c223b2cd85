/** Work beside the steps, in its own order. */
/** Actions one behind the other, beside the steps, which wait for no disk. The first that fails is the last. */
export class Sequence {
  #last: Promise<void> = Promise.resolve();
  readonly #onError: (error: Error) => void;

  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  add(action: () => Promise<void>): void {
    this.#last = this.#last.then(action);
    this.#last.catch((error: unknown) => this.#onError(errorOf(error)));
  }

  /** Resolves when nothing goes on any more. @throws what an action threw */
  ended(): Promise<void> {
    return this.#last;
  }
}

export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
