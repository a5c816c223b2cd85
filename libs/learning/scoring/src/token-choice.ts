/**
 * How the next token is chosen from the scores of all: the likeliest, or one drawn from those that are likely enough. The draw is a
 * pure function of the seed and of how many were drawn before it, so that the same request gives the same text.
 */

/** The token for a row of scores, one for each entry of the vocabulary. @throws NotFiniteScore when one is NaN: any choice would be a lie */
export type TokenChoice = (scores: ArrayLike<number>) => number;

export class NotFiniteScore extends Error {
  readonly token: number;
  constructor(token: number) {
    super(`the score of token ${token} is not a number`);
    this.token = token;
  }
}

export interface Sampling {
  /** Scores are divided by it: below 1 the likely become likelier. 0 takes the likeliest. */
  readonly temperature: number;
  /** Only so many of the likeliest; 0: all. */
  readonly topK: number;
  /** Of those, the fewest likeliest whose probabilities reach this sum (Holtzman et al. 2020, arxiv.org/abs/1904.09751); 1: all. */
  readonly topP: number;
  /** An unsigned 32-bit integer. */
  readonly seed: number;
}

/** @throws RangeError for numbers that make no sense */
export function sampled({ temperature, topK, topP, seed }: Sampling): TokenChoice {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) throw new RangeError(`temperature ${temperature}`);
  if (!(Number.isInteger(topK) && topK >= 0)) throw new RangeError(`topK ${topK}: a number of tokens, or 0 for all`);
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`topP ${topP}: more than 0, at most 1`);
  if (temperature === 0 || topK === 1) return likeliest;
  let drawn = 0;
  return (scores) => {
    const weights = probable(scores, temperature);
    if (topK > 0 || topP < 1) keepLikeliest(weights, topK, topP);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let rest = uniform(seed, drawn) * total;
    drawn += 1;
    let last = 0;
    for (const [token, weight] of weights.entries()) {
      if (weight === 0) continue;
      rest -= weight;
      if (rest < 0) return token;
      last = token;
    }
    return last; // rounding has left a trifle
  };
}

/** The index of the largest score, the first of equal ones. */
export const likeliest: TokenChoice = (scores) => {
  let best = 0;
  for (let index = 0; index < scores.length; index += 1) {
    const score = scores[index] ?? Number.NaN;
    if (Number.isNaN(score)) throw new NotFiniteScore(index);
    if (score > (scores[best] ?? 0)) best = index;
  }
  return best;
};

/** The probability of each token, times whatever all have in common. @throws NotFiniteScore */
function probable(scores: ArrayLike<number>, temperature: number): Float64Array {
  const most = scores[likeliest(scores)] ?? 0;
  const weightOf = (score: number) => (score === most ? 1 : Math.exp((score - most) / temperature)); // also where both are infinite
  return Float64Array.from(scores, weightOf);
}

/** Makes the weights 0 of all but the `topK` likeliest and, of those, the fewest that reach `topP`; the lower token first among equals. */
function keepLikeliest(weights: Float64Array, topK: number, topP: number): void {
  const descending = weights.toSorted().reverse();
  const count = reaching(topP, topK === 0 ? descending : descending.subarray(0, topK));
  const least = descending[count - 1] ?? 0;
  let equals = count - descending.findIndex((weight) => weight === least); // of the tokens that weigh just as much as the last one kept
  for (const [token, weight] of weights.entries()) {
    if (weight > least) continue;
    if (weight === least && equals > 0) equals -= 1;
    else weights[token] = 0;
  }
}

/** How many of the first together have the share `topP` of all. */
function reaching(topP: number, descending: Float64Array): number {
  if (topP === 1) return descending.length;
  const enough = topP * descending.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return Math.max(1, descending.findIndex((weight) => (sum += weight) >= enough) + 1);
}

/**
 * Number `index` of the sequence that belongs to `seed`, in [0, 1): in 32-bit unsigned arithmetic, with `mix` the finalizer of
 * MurmurHash3 (Austin Appleby, public domain),
 *
 *     a = mix(seed + 0x9e3779b9)     high = mix(2 index + a)     low = mix(2 index + 1 + a)
 *     (high 2²¹ + floor(low / 2¹¹)) / 2⁵³
 */
export function uniform(seed: number, index: number): number {
  const start = mix(seed + 0x9e3779b9);
  const high = mix(2 * index + start);
  const low = mix(2 * index + 1 + start);
  return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
}

function mix(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
