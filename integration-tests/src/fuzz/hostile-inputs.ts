/** Hostile inputs of one parser. Each is a function of the seed and of its number: any of them can be made again alone. */
import type { FuzzTarget } from "@pretrain/testing";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { changedBytes } from "./change-bytes.ts";
import { changedJson, jsonOf } from "./change-json.ts";

export class HostileInputs {
  readonly #target: FuzzTarget;
  readonly #seed: string;
  readonly #inner: readonly Uint8Array[];
  readonly #whole: readonly Uint8Array[];
  readonly #trees: readonly ReturnType<typeof jsonOf>[];

  constructor(target: FuzzTarget, seeds: readonly Uint8Array[], seed: string) {
    this.#target = target;
    this.#seed = seed;
    this.#inner = seeds;
    this.#whole = target.enclose === undefined ? seeds : seeds.map((each) => target.enclose?.(each) ?? each);
    this.#trees = seeds.map(jsonOf);
  }

  /** The first ones are the seeds as they are. */
  at(number: number): Uint8Array {
    const unchanged = this.#whole[number];
    if (unchanged !== undefined) return unchanged;
    const random = new SeededRandom(`${this.#seed}/${number}`);
    const isInside = this.#target.enclose !== undefined && random.fraction() < 0.6;
    const seeds = isInside ? this.#inner : this.#whole;
    const input = this.#changed(seeds, random, isInside || this.#target.enclose === undefined);
    return isInside ? (this.#target.enclose?.(input) ?? input) : input;
  }

  #changed(seeds: readonly Uint8Array[], random: SeededRandom, mayBeJson: boolean): Uint8Array {
    const dictionary = this.#target.dictionary ?? [];
    const chosen = random.integer(0, seeds.length - 1);
    const tree = mayBeJson ? this.#trees[chosen] : undefined;
    if (tree !== undefined && random.fraction() < 0.7) {
      const json = changedJson(tree, random, dictionary);
      return random.fraction() < 0.9 ? json : changedBytes(json, random, dictionary, seeds);
    }
    let input = seeds[chosen] ?? new Uint8Array();
    const times = random.fraction() < 0.6 ? 1 : random.integer(2, 6);
    for (let i = 0; i < times; i += 1) input = changedBytes(input, random, dictionary, seeds);
    return input;
  }
}
