/** Tells everybody who waits that the ledger has changed, at most once in a while: a helping for many costs as much as one for one. */
export class ChangesSignal implements Disposable {
  readonly #paceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #next = Promise.withResolvers<void>();

  /** @param paceMs between two helpings */
  constructor(paceMs: number) {
    this.#paceMs = paceMs;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const { resolve } = this.#next;
      this.#next = Promise.withResolvers();
      resolve();
    }, this.#paceMs);
  }

  /** Resolves after the next change. Ask for it before looking: a change that comes meanwhile is not slept over. */
  get next(): Promise<void> {
    return this.#next.promise;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
