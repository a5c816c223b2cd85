/** The loaded model with other weights: the same functions, tokenizer and shape, and answers that are known without them. */
import { cycleLength, type Oracle, oracle, zeroWeights } from "@pretrain/canaries";
import type { ModelShape } from "@pretrain/model";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { LoadedModel } from "../load-model.ts";

/** A model that gives every token the same score. */
export function blankModel(model: LoadedModel): LoadedModel {
  return withWeights(model, zeroWeights(model.shape));
}

/** A model that knows the next token of a cycle: bos, the tokens of a text, eos, and bos again. */
export interface OracleModel extends Disposable {
  readonly model: LoadedModel;
  readonly cycle: readonly number[];
  /** What stands between bos and eos. */
  readonly text: string;
  readonly lossAfter: Oracle["lossAfter"];
}

/** Why no oracle of this shape would show a mistake; undefined when one does. */
export function reasonAgainstOracle(shape: ModelShape): string | undefined {
  const [tokens, positions] = [cycleLength(shape), shape.maxSequenceLength];
  if (tokens >= leastCycle && positions >= leastPositions) return undefined;
  return `a model of dim ${shape.dim} with ${positions} positions is too small for a cycle of ${leastCycle} tokens in a row of ${leastPositions}`;
}

/** As few as what is broken and counted on purpose needs. */
const leastCycle = 7;
const leastPositions = 24;

/** Positions behind a whole cycle, in which it goes on: for the tokens that are generated there. */
const leastRoom = 12;

export function oracleModel(loaded: LoadedModel): OracleModel {
  const { bos, eos } = loaded.tokenizer.specialTokens;
  const places = Math.min(cycleLength(loaded.shape), loaded.shape.maxSequenceLength - leastRoom);
  const text = textOfDistinctTokens(loaded.tokenizer, places - 2);
  const cycle = [bos, ...loaded.tokenizer.encode(text), eos];
  const { weights, lossAfter } = oracle(loaded.shape, cycle);
  const model = withWeights(loaded, weights);
  return { model, cycle, text, lossAfter, [Symbol.dispose]: () => model[Symbol.dispose]() };
}

/**
 * A row of a length: bos, then the cycle from place `start` on, which is left out of at every position that `breaks` names: there two
 * tokens are passed over.
 */
export function cycleRow(
  { cycle }: OracleModel,
  length: number,
  {
    start = 1,
    breaks = () => false,
  }: { readonly start?: number; readonly breaks?: (position: number) => boolean } = {},
): number[] {
  let place = start - 1;
  return Array.from({ length }, (_, position) => {
    if (position === 0) return cycle[0] ?? 0;
    place += breaks(position) ? 3 : 1;
    return cycle[place % cycle.length] ?? 0;
  });
}

/** What each token but the first costs the oracle, in nats, by its closed form. */
export function knownLosses({ lossAfter }: OracleModel, row: readonly number[]): number[] {
  return row.slice(1).map((target, index) => lossAfter(row[index] ?? -1, target));
}

/**
 * A character stands only once in it, so whatever a tokenizer makes of it, no token comes twice; those of several bytes tell bytes from
 * characters.
 */
const distinctCharacters = "aé漢kQ7z,B0m;Xw#4gVt:p9J$d!Z2r(H=5v)N?u8K+c_1sY-6Ge3@L*oP/iRfAhDjbMlCnEqFTxIyOWSU";

/** The longest beginning of those characters that is at most `tokens` long. */
function textOfDistinctTokens(tokenizer: Tokenizer, tokens: number): string {
  const characters = Array.from(distinctCharacters);
  for (let count = characters.length; count > 0; count -= 1) {
    const text = characters.slice(0, count).join("");
    const ids = tokenizer.encode(text);
    if (ids.length <= tokens && new Set(ids).size === ids.length) return text;
  }
  return ""; // then the cycle is bos and eos, which no oracle takes
}

function withWeights(
  { program, shape, tokenizer }: LoadedModel,
  weights: ReadonlyMap<string, Float32Array>,
): LoadedModel {
  const sibling = program.withWeights(weights);
  return { program: sibling, shape, tokenizer, [Symbol.dispose]: () => sibling[Symbol.dispose]() };
}
