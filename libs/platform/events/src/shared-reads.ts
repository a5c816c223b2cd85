/**
 * Reads of the same thing, done together. A read begins when all that has come at once was looked at and the read before it has ended;
 * whoever asks until then shares it. So an answer is never older than its question, and a hundred who ask at once cost one read.
 */
import { setImmediate as turn } from "node:timers/promises";

export class SharedReads<Answer> {
  /** Those that have not begun. */
  readonly #next = new Map<string, Promise<Answer>>();
  /** Those that have not ended. */
  readonly #out = new Map<string, Promise<unknown>>();

  /** @param ask the read of `key`; whose of several is called makes no difference */
  read(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const next = this.#next.get(key) ?? this.#inItsTurn(key, ask);
    this.#next.set(key, next);
    return next;
  }

  async #inItsTurn(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    await Promise.all([turn(), this.#out.get(key)]);
    this.#next.delete(key);
    const answer = ask();
    const ended = answer.then(
      () => this.#out.delete(key),
      () => this.#out.delete(key), // who asked for it is told
    );
    this.#out.set(key, ended);
    return answer;
  }
}
