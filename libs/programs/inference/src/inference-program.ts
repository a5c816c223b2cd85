/** A model on the device: weights that never leave it, and the few functions that read them, each traced when first needed. */

import { chooseKernels, type Kernels } from "@pretrain/fused-kernels";
import type { ScoringWindow } from "@pretrain/measures";
import type { ModelShape } from "@pretrain/model";
import {
  DeviceState,
  type Elements,
  type Program,
  printed,
  type TensorSpecs,
  type Traceable,
  TracedFunction,
  trace,
} from "@pretrain/tensor-graph";
import { type Decoder, decoder, placesFor } from "./decoder.ts";
import { float32, int32 } from "./elements.ts";
import { rowBatches } from "./row-batches.ts";
import { emptyScores, keepScores, piecesOf, type RowScores } from "./row-scores.ts";
import { decoding, scoring, trainingLoss, weightVariables } from "./traced-parts.ts";

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

/** Rows that are computed together, and the positions of each. */
export interface ScoredShape {
  readonly rows: number;
  readonly width: number;
}

/** The code that decides what is traced: the folders of its packages, with the C++ sources of the kernels. */
export const tracedSources: readonly URL[] = [
  "@pretrain/model",
  "@pretrain/optim",
  "@pretrain/scoring",
  "@pretrain/inference-program",
  "@pretrain/fused-kernels",
].map((name) => new URL("..", import.meta.resolve(name)));

const scalar = { shape: [], dtype: "int32" } as const;

export class InferenceProgram implements Disposable {
  readonly #options: Omit<InferenceProgramOptions, "weights">; // the numbers are on the device, not here
  readonly #weights: DeviceState;
  /** By their labels, shared by all siblings: what is traced does not depend on the weights. */
  readonly #programs: Map<string, Program>;
  readonly #scoringFunctions = new Map<string, TracedFunction>();
  readonly #scored = new Map<string, ScoredShape>();

  /**
   * @param programs traced for a sibling before; see `withWeights`
   * @throws RangeError for a name that is no parameter; TypeError for another number of elements; Error for one that is missing
   */
  constructor({ weights, ...options }: InferenceProgramOptions, programs = new Map<string, Program>()) {
    this.#options = options;
    this.#programs = programs;
    this.#weights = new DeviceState(weightVariables(options.shape));
    this.#weights.set(Object.fromEntries(weights));
    const missing = Object.keys(this.#weights.specs).filter((name) => !weights.has(name));
    if (missing.length > 0) throw new Error(`the weights lack ${missing.join(", ")}`);
  }

  /**
   * The same functions over other weights: what a sibling is found to compute with weights whose answers are known, this one computes
   * with its own. Each is disposed of for itself.
   *
   * @throws as the constructor
   */
  withWeights(weights: ReadonlyMap<string, Float32Array>): InferenceProgram {
    return new InferenceProgram({ ...this.#options, weights }, this.#programs);
  }

  /**
   * What each row's tokens but the first cost, in nats, and what was predicted in their place: `length - 1` scores of each row, in the
   * order of the rows. A row of one token or none has none. How rows are put together changes no number beyond its last digit.
   *
   * @param maxRows computed at once   @param window how a longer row is scored; without it no row may be longer
   * @throws RangeError for a row, or a window and the token behind it, with more than one token beyond the model's sequences: the last
   *   one is only predicted
   */
  scores(rows: readonly ArrayLike<number>[], maxRows?: number, window?: ScoringWindow): RowScores[] {
    const pieces = piecesOf(rows, window);
    const scores = emptyScores(rows);
    const { maxSequenceLength } = this.#options.shape;
    const texts = pieces.map(({ tokens }) => tokens);
    for (const { width, indices, ...feeds } of rowBatches(texts, maxSequenceLength, maxRows)) {
      if (feeds.lengths[0] === 0 || feeds.lengths[0] === 1) break; // the longest: nothing is left to be predicted
      const found = batchScores(this.#scoring(feeds.lengths.length, width).run(feeds)); // each [rows, width - 1]
      for (const [place, index] of indices.entries()) {
        const piece = pieces[index];
        const kept = scores[piece?.row ?? -1];
        if (piece !== undefined && kept !== undefined) keepScores(piece, found, place * (width - 1), kept);
      }
    }
    return scores;
  }

  /** The losses alone, by the same function. */
  losses(rows: readonly ArrayLike<number>[], maxRows?: number, window?: ScoringWindow): Float32Array[] {
    return this.scores(rows, maxRows, window).map(({ losses }) => losses);
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
      return this.#program(`decoding_${width}_of_${places}`, decoding(shape), state, feeds);
    });
  }

  /** The shapes in which rows were scored so far, in the order in which they came first. */
  scoredShapes(): readonly ScoredShape[] {
    return [...this.#scored.values()];
  }

  /**
   * The sum of the losses of some rows, in nats, as a micro-step of training computes it: by its function, each row padded to the
   * model's whole sequences, in float32.
   *
   * @throws RangeError for a row that is longer than the model's sequences
   */
  trainingLoss(rows: readonly ArrayLike<number>[]): number {
    const { shape } = this.#options;
    const { maxSequenceLength: width } = shape;
    const longest = Math.max(...rows.map(({ length }) => length));
    if (longest > width) throw new RangeError(`${longest} tokens; the model has ${width} positions`);
    const tokens = new Int32Array(rows.length * width);
    for (const [place, row] of rows.entries()) tokens.set(row, place * width);
    const feeds = { tokens, lengths: Int32Array.from(rows, ({ length }) => length) };
    const label = `training_${rows.length}_by_${width}`;
    const program = this.#program(label, trainingLoss(shape), this.#weights, rowFeeds(rows.length, width));
    return float32(new TracedFunction(program, this.#weights).run(feeds)["nats"])[0] ?? Number.NaN;
  }

  /** The traced functions so far, those of siblings too, as text. */
  toString(): string {
    return [...this.#programs].map(([name, program]) => `${name}\n${printed(program)}`).join("\n");
  }

  [Symbol.dispose](): void {
    this.#weights[Symbol.dispose]();
  }

  #scoring(rows: number, width: number): TracedFunction {
    const label = `scoring_${rows}_by_${width}`;
    const known = this.#scoringFunctions.get(label);
    if (known !== undefined) return known;
    const program = this.#program(label, scoring(this.#options.shape), this.#weights, rowFeeds(rows, width));
    const traced = new TracedFunction(program, this.#weights);
    this.#scoringFunctions.set(label, traced);
    this.#scored.set(label, { rows, width });
    return traced;
  }

  #program(label: string, traceable: Traceable, state: DeviceState, feeds: TensorSpecs): Program {
    const known = this.#programs.get(label);
    if (known !== undefined) return known;
    const { shape, xla = false, kernels = xla ? "plain" : "fused", cacheFolder } = this.#options;
    chooseKernels(kernels);
    const key = { shape, kernels };
    const cache = cacheFolder === undefined ? {} : { cache: { folder: cacheFolder, key, sources: tracedSources } };
    const { program } = trace(label, traceable, { state, feeds, xla, ...cache });
    this.#programs.set(label, program);
    return program;
  }
}

function batchScores({ losses, likeliest, confidence }: Readonly<Record<string, Elements>>): RowScores {
  return { losses: float32(losses), likeliest: int32(likeliest), confidence: float32(confidence) };
}

function rowFeeds(rows: number, width: number): TensorSpecs {
  return { tokens: { shape: [rows, width], dtype: "int32" }, lengths: { shape: [rows], dtype: "int32" } };
}
