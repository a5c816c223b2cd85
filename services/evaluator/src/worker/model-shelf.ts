/** The models in memory: the one used last, and those that a continuation still needs. */
import type { LoadedModel } from "./load-model.ts";
import type { ModelSource } from "./protocol.ts";

/** A model in somebody's use. `release` it once. */
export interface Borrowed {
  readonly model: LoadedModel;
  readonly release: () => void;
}

interface Shelved {
  readonly key: string;
  readonly model: LoadedModel;
  users: number;
}

export class ModelShelf {
  readonly #load: (source: ModelSource) => Promise<LoadedModel>;
  #latest: Shelved | undefined;

  constructor(load: (source: ModelSource) => Promise<LoadedModel>) {
    this.#load = load;
  }

  /** The model of that source, loaded if it is not the one used last. @throws what loading it throws */
  async borrow(source: ModelSource): Promise<Borrowed> {
    const key = `${source.manifestSha256} ${source.tokenizerSha256}`;
    const shelved = this.#latest?.key === key ? this.#latest : await this.#replace(key, source);
    shelved.users += 1;
    return { model: shelved.model, release: () => this.#returned(shelved) };
  }

  async #replace(key: string, source: ModelSource): Promise<Shelved> {
    const former = this.#latest;
    this.#latest = undefined;
    if (former?.users === 0) former.model[Symbol.dispose](); // before the next one takes its memory
    this.#latest = { key, model: await this.#load(source), users: 0 };
    return this.#latest;
  }

  #returned(shelved: Shelved): void {
    shelved.users -= 1;
    if (shelved.users === 0 && shelved !== this.#latest) shelved.model[Symbol.dispose]();
  }
}
