/** One text that is read, and continued by whoever chooses from the scores. */
import type { ModelShape } from "@pretrain/model";
import { DeviceState, type Program, TracedFunction } from "@pretrain/tensor-graph";
import { float32 } from "./elements.ts";
import { powerAbove } from "./row-batches.ts";
import { cacheVariables } from "./traced-parts.ts";

export interface Decoder extends Disposable {
  /**
   * Scores of every token of the vocabulary as the one after all of these. Reads the tokens that it has not read yet; each list must
   * begin with the one before it and have at least one more.
   *
   * @throws RangeError when there is nothing new, or more than the decoder was made for
   */
  scores(tokens: ArrayLike<number>): Float32Array;
}

const leastPlaces = 128;

/** Places of a cache: of few kinds, since each is traced for itself, and a step copies them. */
export function placesFor(tokens: number, maxSequenceLength: number): number {
  return Math.min(Math.max(leastPlaces, powerAbove(tokens)), maxSequenceLength);
}

/** @param stepFor the program that reads `width` tokens with a cache of `places`, over any state that has weights and cache */
export function decoder(
  shape: ModelShape,
  weights: DeviceState,
  places: number,
  stepFor: (width: number, state: DeviceState) => Program,
): Decoder {
  const specs = cacheVariables(shape, places);
  const state = new DeviceState(specs, weights);
  const zeros = (lengths: readonly number[]) =>
    new Float32Array(lengths.reduce((product, length) => product * length, 1));
  state.set(Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, zeros(spec.shape)])));
  const steps = new Map<number, TracedFunction>();
  const stepOf = (width: number) => {
    const step = steps.get(width) ?? new TracedFunction(stepFor(width, state), state);
    steps.set(width, step);
    return step;
  };
  let read = 0;
  return {
    scores(tokens) {
      const unread = tokens.length - read;
      if (unread < 1) throw new RangeError(`${tokens.length} tokens, of which ${read} were read before: none is new`);
      if (tokens.length > places) throw new RangeError(`${tokens.length} tokens; there are places for ${places}`);
      const width = Math.min(powerAbove(unread), places - read); // padding is overwritten by what comes to its place
      const ids = Int32Array.from({ length: width }, (_, index) => tokens[read + index] ?? 0);
      const feeds = { tokens: ids, position: Int32Array.of(read), last: Int32Array.of(unread - 1) };
      const { scores } = stepOf(width).run(feeds);
      read = tokens.length;
      return float32(scores);
    },
    [Symbol.dispose]: () => state[Symbol.dispose](),
  };
}
