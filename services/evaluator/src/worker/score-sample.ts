/** One prompt: how well the true continuation was predicted, and what the model writes in its place. */
import { FailedPrecondition } from "@pretrain/errors";
import type { ScoringWindow } from "@pretrain/measures";
import { generate, likeliest, type StopReason } from "@pretrain/scoring";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { LoadedModel } from "./load-model.ts";
import { nextToken } from "./next-token.ts";
import type { SampleQuestion, ScoredSample } from "./protocol.ts";

/** @throws FailedPrecondition when a loss is no finite number; RangeError when the row is shorter than the two lengths */
export async function scoreSample(
  model: LoadedModel,
  { row, inputLength, predictLength, window }: SampleQuestion,
): Promise<ScoredSample> {
  const tokens = [...row.tokens.subarray(0, inputLength + predictLength)];
  const input = tokens.slice(0, inputLength);
  const nats = teacherForcedNats(model, tokens, { inputLength, predictLength }, window);
  if (!Number.isFinite(nats)) {
    const message = `row ${row.rowId}: the loss of its continuation is ${nats}`;
    throw new FailedPrecondition("NOT_FINITE", message, { row: String(row.rowId) });
  }
  const { generated, stopReason } = await continuation(model, input, predictLength);
  return {
    rowId: row.rowId,
    inputText: textAfter(model.tokenizer, [], input),
    trueText: textAfter(model.tokenizer, input, tokens.slice(inputLength)),
    predictedText: textAfter(model.tokenizer, input, generated),
    nats,
    tokens: predictLength,
    generatedTokens: generated.length,
    generated,
    stopReason,
  };
}

/**
 * Sum of the losses of the true tokens behind the input, each predicted from the true tokens before it. A row's losses begin with
 * that of its second token, so those of the tokens from `inputLength` on begin at `inputLength - 1`:
 *
 *     tokens     p0   p1   p2 | t0   t1          inputLength 3, predictLength 2
 *     losses          of   of | of   of          losses 2 and 3
 *                     p1   p2   t0   t1
 */
function teacherForcedNats(
  { program }: LoadedModel,
  tokens: readonly number[],
  { inputLength, predictLength }: Pick<SampleQuestion, "inputLength" | "predictLength">,
  window?: ScoringWindow,
): number {
  const end = inputLength + predictLength;
  if (inputLength < 1 || tokens.length < end)
    throw new RangeError(`${tokens.length} tokens; ${end} are needed, one of them given`);
  const [losses = new Float32Array()] = program.losses([tokens], undefined, window);
  return losses.subarray(inputLength - 1, end - 1).reduce((sum, loss) => sum + loss, 0); // in 64 bits
}

async function continuation(
  { program, shape, tokenizer }: LoadedModel,
  input: readonly number[],
  maxNewTokens: number,
): Promise<{ readonly generated: readonly number[]; readonly stopReason: StopReason }> {
  using decoder = program.decoder(input.length + maxNewTokens);
  const limits = {
    maxNewTokens,
    maxSequenceLength: shape.maxSequenceLength,
    eosToken: tokenizer.specialTokens.eos,
  };
  const tokens = generate(input, nextToken(decoder, likeliest), limits);
  const generated: number[] = [];
  for (;;) {
    const next = await tokens.next();
    if (next.done === true) return { generated, stopReason: next.value };
    generated.push(next.value);
  }
}

/**
 * The text that `tokens` add to what was `before`. A character that begins in one and ends in the other belongs to the
 * latter; one that is still incomplete at the end is left out. Markers are not text.
 */
export function textAfter(tokenizer: Tokenizer, before: readonly number[], tokens: readonly number[]): string {
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true });
  for (const id of before) decoder.push(id);
  return tokens.map((id) => decoder.push(id)).join("");
}
