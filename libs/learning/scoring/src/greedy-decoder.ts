/** The likeliest next token, again and again, eagerly: the plain way that a traced decoder is held against. */
import { type Cache, type DecodeStep, decodeStep, type ModelShape, newCache, type Weights } from "@pretrain/model";
import * as tf from "@tensorflow/tfjs-core";
import type { NextToken } from "./generate.ts";
import { likeliest } from "./token-choice.ts";

export interface GreedyDecoder extends Disposable {
  /** Reads the tokens that it has not read yet; each list must begin with the one before it. */
  readonly nextToken: NextToken;
}

/**
 * A decoder of one text. It keeps keys and values of what it has read, until it is disposed of.
 *
 * @throws (from `nextToken`) RangeError when the text outgrows the model, NotFiniteScore when a score is NaN
 */
export function greedyDecoder(weights: Weights, shape: ModelShape): GreedyDecoder {
  const places = shape.maxSequenceLength;
  let cache = newCache(shape, 1, places);
  let read = 0;
  const nextToken: NextToken = async (tokens) => {
    if (tokens.length > places) throw new RangeError(`${tokens.length} tokens; the model has ${places} positions`);
    const decoded = tf.tidy(() => decodeStep(weights, stepOf(tokens, read), cache, shape));
    dispose(cache);
    cache = decoded.cache;
    read = tokens.length;
    const scores = await decoded.logits.data();
    decoded.logits.dispose();
    return likeliest(scores);
  };
  return { nextToken, [Symbol.dispose]: () => dispose(cache) };
}

/** The tokens behind the first `read` ones. */
function stepOf(tokens: readonly number[], read: number): DecodeStep {
  const unread = tokens.slice(read);
  return {
    tokens: tf.tensor2d(unread, [1, unread.length], "int32"),
    position: tf.scalar(read, "int32"),
    last: tf.scalar(unread.length - 1, "int32"),
  };
}

function dispose(cache: Cache): void {
  tf.dispose(cache.flatMap(({ keys, values }) => [keys, values]));
}
