/** The loop that lets a model continue a text. It knows no model: only how many tokens there are, and when to stop. */

/** The token that comes after all those so far, prompt included. */
export type NextToken = (tokens: readonly number[]) => number | Promise<number>;

export interface GenerationLimits {
  /** New tokens at most, whatever the length of the prompt. */
  readonly maxNewTokens: number;
  /** Tokens at most, prompt included: the positions that the model has. */
  readonly maxSequenceLength: number;
  /** The token that ends a text. It is part of what was generated. Without one, only the limits end it. */
  readonly eosToken?: number;
}

export type StopReason = "max_new_tokens" | "eos" | "max_sequence_length";

/**
 * The new tokens, one by one as they are made, and at the end (the generator's return value) why no more came. `maxNewTokens`
 * counts from the end of the prompt; compared with the whole length, a prompt of that length would generate nothing.
 *
 * @throws RangeError for an empty prompt: nothing predicts a first token
 */
export async function* generate(
  prompt: readonly number[],
  nextToken: NextToken,
  { maxNewTokens, maxSequenceLength, eosToken }: GenerationLimits,
): AsyncGenerator<number, StopReason, void> {
  if (prompt.length === 0) throw new RangeError("the prompt is empty: nothing predicts a first token");
  const tokens = [...prompt];
  const start = prompt.length;
  while (tokens.length < start + maxNewTokens) {
    if (tokens.length >= maxSequenceLength) return "max_sequence_length";
    const token = await nextToken(tokens);
    tokens.push(token);
    yield token;
    if (token === eosToken) return "eos";
  }
  return "max_new_tokens";
}
