/** From a decoder's scores to the token that a text goes on with. */
import { FailedPrecondition } from "@pretrain/errors";
import type { Decoder } from "@pretrain/inference-program";
import { type NextToken, NotFiniteScore, type TokenChoice } from "@pretrain/scoring";

/** @throws (from the function) FailedPrecondition NOT_FINITE when the weights give a score that is not a number */
export function nextToken(decoder: Decoder, choose: TokenChoice): NextToken {
  return (tokens) => {
    try {
      return choose(decoder.scores(tokens));
    } catch (cause) {
      if (!(cause instanceof NotFiniteScore)) throw cause;
      const message = `after ${tokens.length} tokens ${cause.message}`;
      throw new FailedPrecondition("NOT_FINITE", message, { token: String(cause.token) }, { cause });
    }
  };
}
