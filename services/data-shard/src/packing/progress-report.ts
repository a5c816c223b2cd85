/** Writes a number that changes often at most once a second, and never two writes at a time. */

const intervalMs = 1000;

export class ProgressReport {
  readonly #write: (bytesRead: number) => Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  #latest: number | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  /** @param write may fail: a progress that cannot be written is not worth more than the next one */
  constructor(write: (bytesRead: number) => Promise<unknown>) {
    this.#write = write;
    this.#timer = setInterval(() => this.#report(), intervalMs);
  }

  /** A function of its own, so that it can be handed on. */
  readonly set = (bytesRead: number): void => {
    this.#latest = bytesRead;
  };

  /** After it nothing is written any more. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#latest = undefined;
    await this.#writing;
  }

  #report(): void {
    this.#writing = this.#writing.then(async () => {
      const bytesRead = this.#latest;
      this.#latest = undefined;
      if (bytesRead !== undefined) await this.#write(bytesRead).catch(() => undefined);
    });
  }
}
