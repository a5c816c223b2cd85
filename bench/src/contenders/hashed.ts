/** Weights and tokens from one 32-bit hash: the rule of testdata/golden-model/full_size.json, as in peers/hashed.py. */
import { type ModelShape, parameterShapes } from "@pretrain/model";
import type { Config } from "../protocol.ts";

const tokenStream = 999;
const firstToken = 3; // 0, 1 and 2 are padding, bos and eos

/** Element `index` of a stream: an unsigned 32-bit integer. */
function hashed(index: number, stream: number): number {
  let x = (Math.imul(index, 2654435761) + Math.imul(Math.imul(stream + 1, 40503), 65537)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

export function shapeOf({ model, sequence }: Pick<Config, "model" | "sequence">): ModelShape {
  return {
    vocabularySize: model.vocab_size,
    dim: model.dim,
    layers: model.n_layers,
    heads: model.n_heads,
    keyValueHeads: model.n_kv_heads,
    hiddenDim: model.hidden_dim,
    normEps: model.norm_eps,
    ropeTheta: model.rope_theta,
    maxSequenceLength: sequence,
  };
}

export interface HashedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Matrices uniform in ±1/√in, norms in 1 ± 0.1; the order of `parameterShapes` numbers the streams. One after the other, so that no
 * second copy of all weights is in the peak of a contender's memory.
 */
export function* hashedWeights(shape: ModelShape): Generator<HashedTensor> {
  let stream = 0;
  for (const [name, lengths] of parameterShapes(shape)) {
    yield { name, shape: lengths, values: hashedValues(lengths, stream) };
    stream += 1;
  }
}

function hashedValues([outer = 1, fanIn]: readonly number[], stream: number): Float32Array {
  const values = new Float32Array(outer * (fanIn ?? 1));
  for (let index = 0; index < values.length; index += 1) {
    const unit = 2 * (hashed(index, stream) / 2 ** 32) - 1;
    values[index] = fanIn === undefined ? 1 + 0.1 * unit : unit / Math.sqrt(fanIn);
  }
  return values;
}

/** Tokens `first` to `first + count` of one endless text: batch k of size n begins at k · n. */
export function hashedTokens(first: number, count: number, vocabularySize: number): Int32Array {
  return Int32Array.from(
    { length: count },
    (_, index) => firstToken + (hashed(first + index, tokenStream) % (vocabularySize - firstToken)),
  );
}

/** The text cut into rows of the given lengths. */
export function rowsOfLengths(lengths: readonly number[], vocabularySize: number): Int32Array[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return hashedTokens(end - length, length, vocabularySize);
  });
}
