/** Mean and standard deviation of the last 1,000 losses, kept up to date for each new one. */
const length = 1000;

export class RecentLosses {
  readonly #losses = new Float64Array(length);
  readonly #tokens = new Float64Array(length);
  #next = 0;
  count = 0;
  #sum = 0;
  #squares = 0;
  #tokenSum = 0;

  add(loss: number, tokens: number): void {
    if (this.count === length) this.#forget(this.#next);
    this.#losses[this.#next] = loss;
    this.#tokens[this.#next] = tokens;
    this.#include(loss, tokens);
    this.#next = (this.#next + 1) % length;
    if (this.#next === 0) this.#sumAnew();
  }

  clear(): void {
    this.count = 0;
    this.#next = 0;
    this.#sumAnew();
  }

  get mean(): number {
    return this.#sum / this.count;
  }

  /** Of the losses around their own mean. */
  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.count - this.mean ** 2));
  }

  get meanTokens(): number {
    return this.#tokenSum / this.count;
  }

  #include(loss: number, tokens: number): void {
    this.count += 1;
    this.#sum += loss;
    this.#squares += loss * loss;
    this.#tokenSum += tokens;
  }

  #forget(index: number): void {
    const loss = this.#losses[index] ?? 0;
    this.count -= 1;
    this.#sum -= loss;
    this.#squares -= loss * loss;
    this.#tokenSum -= this.#tokens[index] ?? 0;
  }

  /** Once a round, so that what taking away rounds off does not add up. */
  #sumAnew(): void {
    const kept = this.count;
    this.count = 0;
    this.#sum = 0;
    this.#squares = 0;
    this.#tokenSum = 0;
    for (let index = 0; index < kept; index++) this.#include(this.#losses[index] ?? 0, this.#tokens[index] ?? 0);
  }
}
