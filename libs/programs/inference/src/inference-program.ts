/** A model on the device: weights that never leave it, and the few functions that read them, each traced when first needed. */

import { chooseKernels, type Kernels } from "@pretrain/fused-kernels";
import type { ModelShape } from "@pretrain/model";
import { DeviceState, type TensorSpecs, type Traceable, type TracedFunction, trace } from "@pretrain/tensor-graph";
import { type Decoder, decoder, float32, placesFor } from "./decoder.ts";
import { rowBatches } from "./row-batches.ts";
import { decoding, scoring, weightVariables } from "./traced-parts.ts";

export interface InferenceProgramOptions {
  readonly shape: ModelShape;
  /** By the parameters' names. They are copied to the device. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** `plain` for XLA, which knows no operation of ours. */
  readonly kernels?: Kernels;
  readonly xla?: boolean;
  /** Where traced functions are kept for the next process that runs a model of this shape. */
  readonly cacheFolder?: string;
}

/** The code that decides what is traced. */
const tracedSources = [
  "@pretrain/model",
  "@pretrain/scoring",
  "@pretrain/inference-program",
  "@pretrain/fused-kernels",
].map((name) => new URL("..", import.meta.resolve(name))); // with the C++ sources of the kernels

const scalar = { shape: [], dtype: "int32" } as const;

export class InferenceProgram implements Disposable {
  readonly #options: Omit<InferenceProgramOptions, "weights">; // the numbers are on the device, not here
  readonly #weights: DeviceState;
  readonly #functions = new Map<string, TracedFunction>();

  /** @throws RangeError for a name that is no parameter; TypeError for another number of elements; Error for one that is missing */
  constructor({ weights, ...options }: InferenceProgramOptions) {
    this.#options = options;
    this.#weights = new DeviceState(weightVariables(options.shape));
    this.#weights.set(Object.fromEntries(weights));
    const missing = Object.keys(this.#weights.specs).filter((name) => !weights.has(name));
    if (missing.length > 0) throw new Error(`the weights lack ${missing.join(", ")}`);
  }

  /**
   * What each row's tokens but the first cost, in nats: `length - 1` losses of each row, in the order of the rows. A row of one token
   * or none has no loss. How rows are put together changes no number beyond its last digit.
   *
   * @param maxRows computed at once @throws RangeError for a row that is longer than the model's sequences
   */
  losses(rows: readonly ArrayLike<number>[], maxRows?: number): Float32Array[] {
    const { shape } = this.#options;
    const losses = rows.map(() => new Float32Array());
    for (const { width, indices, ...feeds } of rowBatches(rows, shape.maxSequenceLength, maxRows)) {
      if (feeds.lengths[0] === 0 || feeds.lengths[0] === 1) break; // the longest: nothing is left to be predicted
      const found = float32(this.#scoring(feeds.lengths.length, width).run(feeds)["losses"]); // [rows, width - 1]
      for (const [place, index] of indices.entries()) {
        const start = place * (width - 1);
        losses[index] = found.slice(start, start + Math.max(0, (feeds.lengths[place] ?? 0) - 1));
      }
    }
    return losses;
  }

  /**
   * A decoder of one text; many can be open at once, each with its own cache. Dispose of it before the program.
   *
   * @param tokens that the text will have at most, prompt included; more than the model's sequences have are never read
   */
  decoder(tokens: number): Decoder {
    const { shape } = this.#options;
    const places = placesFor(tokens, shape.maxSequenceLength);
    return decoder(shape, this.#weights, places, (width, state) => {
      const feeds = { tokens: { shape: [1, width], dtype: "int32" }, position: scalar, last: scalar } as const;
      return this.#function(`decoding_${width}_of_${places}`, decoding(shape), state, feeds);
    });
  }

  /** The traced functions so far, as text. */
  toString(): string {
    return [...this.#functions].map(([name, traced]) => `${name}\n${traced.toString()}`).join("\n");
  }

  [Symbol.dispose](): void {
    this.#weights[Symbol.dispose]();
  }

  #scoring(rows: number, width: number): TracedFunction {
    const feeds = {
      tokens: { shape: [rows, width], dtype: "int32" },
      lengths: { shape: [rows], dtype: "int32" },
    } as const;
    return this.#function(`scoring_${rows}_by_${width}`, scoring(this.#options.shape), this.#weights, feeds);
  }

  #function(label: string, traceable: Traceable, state: DeviceState, feeds: TensorSpecs): TracedFunction {
    const known = this.#functions.get(label);
    if (known !== undefined) return known;
    const { shape, xla = false, kernels = xla ? "plain" : "fused", cacheFolder } = this.#options;
    chooseKernels(kernels);
    const key = { shape, kernels };
    const cache = cacheFolder === undefined ? {} : { cache: { folder: cacheFolder, key, sources: tracedSources } };
    const traced = trace(label, traceable, { state, feeds, xla, ...cache });
    this.#functions.set(label, traced);
    return traced;
  }
}
