/**
 * A model that knows the next token of a cycle of distinct tokens, c0 c1 … c(k-1) c0 …, and whose losses follow from a few numbers in 64
 * bits, without the code that scores. Each token of the cycle has an axis of the stream for itself:
 *
 *     embedding          token cj  →  a(j) on axis j        a(j) grows with j, so that each break of the cycle has a cost of its own
 *     feed-forward       axis j    →  much on axis j + 1    of the first layer; attention and all other layers add nothing
 *     scores             axis i    →  a(i) for token ci     the output matrix is the embedding: c(j+1) has all the probability
 *
 * A row that follows the cycle costs about 0 for each token. Read or predicted one place off, or attributed to another row, it does not.
 */
import type { ModelShape } from "@pretrain/model";
import { zeroWeights } from "./zero-weights.ts";

export interface Oracle {
  readonly weights: ReadonlyMap<string, Float32Array>;
  /**
   * What `target` costs behind `token`, in nats: about 0 where the cycle goes on, 40 to 60 where it breaks, and ln V behind a token that
   * is not of the cycle. What stands before `token` makes no difference.
   */
  readonly lossAfter: (token: number, target: number) => number;
}

/** Distinct tokens of the longest cycle that is of use: more would find no more mistakes. */
const mostTokens = 61;

/** The longest cycle for a model: a prime, so that no number of places that is left out or read twice comes round to the right token. */
export function cycleLength({ dim, hiddenDim, vocabularySize }: ModelShape): number {
  const isPrime = (count: number) =>
    Array.from({ length: count - 2 }, (_, index) => index + 2).every((factor) => count % factor > 0);
  let count = Math.min(dim, hiddenDim, vocabularySize, mostTokens);
  while (!isPrime(count)) count -= 1;
  return count;
}

/** What the feed-forward writes for each unit that it is given: enough to drown the token just read. */
const written = 8;

/** The score of the next token, where its own a is 1. */
const certainty = 40;

/** @throws RangeError for fewer than three tokens, more than `dim` or `hiddenDim`, one outside the vocabulary, or one twice */
export function oracle(shape: ModelShape, cycle: readonly number[]): Oracle {
  expectCycle(shape, cycle);
  const { dim, vocabularySize } = shape;
  const places = new Map(cycle.map((token, place) => [token, place]));
  const after = (place: number) => (place + 1) % cycle.length;
  const embedded = (place: number) => Math.fround(1 + place / (2 * cycle.length));
  const scale = Math.fround(certainty / Math.sqrt(dim));
  const lossAfter = (token: number, target: number) => {
    const place = places.get(token);
    if (place === undefined) return Math.log(vocabularySize);
    const stream = streamBehind(shape, embedded(place));
    const [own, next] = [stream.own * scale * embedded(place), stream.next * scale * embedded(after(place))];
    const others = (vocabularySize - 2) * Math.exp(-next);
    const logSum = next + Math.log1p(Math.exp(own - next) + others);
    const score = target === cycle[after(place)] ? next : target === token ? own : 0;
    return logSum - score;
  };
  return { weights: oracleWeights(shape, cycle, { embedded, after, scale }), lossAfter };
}

/** What the last norm makes of a stream with `own` on one axis and what the feed-forward made of it on another. */
function streamBehind({ dim, normEps }: ModelShape, own: number): { readonly own: number; readonly next: number } {
  const normed = own / Math.sqrt(own ** 2 / dim + normEps);
  const next = (written * normed ** 2) / (1 + Math.exp(-normed)); // silu(gate) up, with both the norm's output
  const root = Math.sqrt((own ** 2 + next ** 2) / dim + normEps);
  return { own: own / root, next: next / root };
}

interface Numbers {
  readonly embedded: (place: number) => number;
  readonly after: (place: number) => number;
  readonly scale: number;
}

function oracleWeights(
  shape: ModelShape,
  cycle: readonly number[],
  { embedded, after, scale }: Numbers,
): ReadonlyMap<string, Float32Array> {
  const { dim, hiddenDim } = shape;
  const weights = zeroWeights(shape);
  const of = (name: string) => weights.get(`${name}.weight`) ?? new Float32Array();
  of("norm").fill(scale);
  of("layers.0.ffn_norm").fill(1);
  for (const [place, token] of cycle.entries()) {
    of("tok_embeddings")[token * dim + place] = embedded(place);
    of("layers.0.feed_forward.w1")[place * dim + place] = 1;
    of("layers.0.feed_forward.w3")[place * dim + place] = 1;
    of("layers.0.feed_forward.w2")[after(place) * hiddenDim + place] = written;
  }
  return weights;
}

function expectCycle({ dim, hiddenDim, vocabularySize }: ModelShape, cycle: readonly number[]): void {
  const most = Math.min(dim, hiddenDim);
  if (cycle.length < 3 || cycle.length > most) {
    throw new RangeError(`a cycle of ${cycle.length} tokens; this model can have one of 3 to ${most}`);
  }
  if (new Set(cycle).size < cycle.length) throw new RangeError("a token stands twice in the cycle");
  const foreign = cycle.find((token) => !(Number.isInteger(token) && token >= 0 && token < vocabularySize));
  if (foreign !== undefined) throw new RangeError(`token ${foreign}; the vocabulary has ${vocabularySize} entries`);
}
