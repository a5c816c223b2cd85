/** A limit on what is on its way. */
/** So many batches may be on their way at once. */
export class Slots {
  readonly #most: number;
  #taken = 0;
  #free = Promise.withResolvers<void>();
  #closed = false;

  constructor(most: number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves when there is one to take, or when it is closed. */
  async free(): Promise<void> {
    while (this.#taken >= this.#most && !this.#closed) {
      await this.#free.promise;
      this.#free = Promise.withResolvers();
    }
  }

  take(): void {
    this.#taken += 1;
  }

  give(): void {
    this.#taken -= 1;
    this.#free.resolve();
  }

  close(): void {
    this.#closed = true;
    this.#free.resolve();
  }
}
