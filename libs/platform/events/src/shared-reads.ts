/**
 * Reads of the same thing, done together. Whoever asks while a read is out shares the next one, which begins when that one has ended:
 * an answer is never older than its question, and a hundred who ask at once cost two reads.
 */
export class SharedReads<Answer> {
  readonly #out = new Map<string, Read<Answer>>();

  /** @param ask the read of `key`; whose of several is called makes no difference */
  read(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const out = this.#out.get(key);
    if (out === undefined) return this.#begin(key, ask);
    out.next ??= ended(out.answer).then(() => this.#begin(key, ask));
    return out.next;
  }

  #begin(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const read: Read<Answer> = { answer: ask(), next: undefined };
    this.#out.set(key, read);
    void ended(read.answer).then(() => {
      if (read.next === undefined) this.#out.delete(key);
    });
    return read.answer;
  }
}

interface Read<Answer> {
  readonly answer: Promise<Answer>;
  /** Of those who came too late for this one. */
  next: Promise<Answer> | undefined;
}

/** However it ended: who asked for it is told, and the next one begins. */
function ended(read: Promise<unknown>): Promise<void> {
  return read.then(
    () => undefined,
    () => undefined,
  );
}
