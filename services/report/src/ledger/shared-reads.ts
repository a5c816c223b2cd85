/**
 * What many who stand at the same place ask for at the same moment is read once for all of them. Whoever tells them that something
 * has come forgets what was read before.
 */
export class SharedReads<Answer> {
  readonly #answers = new Map<string, Answer>();

  /** @param key what is asked for and from where */
  read(key: string, read: () => Answer): Answer {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    if (this.#answers.size === 0) setImmediate(() => this.forget()); // not held until something comes
    const answer = read();
    this.#answers.set(key, answer);
    return answer;
  }

  forget(): void {
    this.#answers.clear();
  }
}
