/** Continuations in progress. Each goes on by one token when it is asked to, so several can take turns. */
import { FailedPrecondition, InvalidArgument, ResourceExhausted } from "@pretrain/errors";
import type { Decoder } from "@pretrain/inference-program";
import { generate, generatedText, sampled, type TextEnd, type TextStep } from "@pretrain/scoring";
import type { LoadedModel } from "./load-model.ts";
import { nextToken } from "./next-token.ts";
import { openedText } from "./opened-text.ts";
import type { GeneratedToken, TextQuestion } from "./protocol.ts";

/** What one continuation holds until it ends. */
interface Generation {
  readonly steps: AsyncGenerator<TextStep, TextEnd, void>;
  readonly decoder: Decoder;
  readonly release: () => void;
}

const limit = 4;

export class Generations {
  readonly #open = new Map<number, Generation>();
  #begun = 0;

  /**
   * @param release called once, when the continuation needs the model no more
   * @returns its number
   * @throws InvalidArgument when the prompt, bos before it, is longer than the model's sequences; ResourceExhausted when
   *   four are open already
   */
  begin(model: LoadedModel, question: TextQuestion, release: () => void): number {
    if (this.#open.size >= limit) {
      throw new ResourceExhausted(
        "TOO_MANY_GENERATIONS",
        `${limit} texts are being continued; try again when one has ended`,
      );
    }
    const { steps, decoder } = continued(model, question);
    this.#begun += 1;
    this.#open.set(this.#begun, { steps, decoder, release });
    return this.#begun;
  }

  /**
   * The next token with the text that is certain with it; at the end why no more comes.
   *
   * @throws FailedPrecondition after the end, or when the weights give a score that is not a number
   */
  async next(generation: number): Promise<GeneratedToken> {
    const open = this.#open.get(generation);
    if (open === undefined) throw new FailedPrecondition("GENERATION_ENDED", `generation ${generation} has ended`);
    try {
      const { done, value } = await open.steps.next();
      if (done === true) this.end(generation);
      return value;
    } catch (error) {
      this.end(generation);
      throw error;
    }
  }

  end(generation: number): void {
    const open = this.#open.get(generation);
    if (open === undefined) return;
    this.#open.delete(generation);
    open.decoder[Symbol.dispose]();
    open.release();
  }
}

function continued(
  { program, shape, tokenizer }: LoadedModel,
  { prompt, maxNewTokens, sampling, stops, ignoreEos }: TextQuestion,
): Pick<Generation, "steps" | "decoder"> {
  const ids = openedText(tokenizer, prompt);
  const { maxSequenceLength } = shape;
  if (ids.length > maxSequenceLength) throw tooLong(ids.length, maxSequenceLength);
  const choose = sampled(sampling);
  const decoder = program.decoder(ids.length + maxNewTokens);
  const limits = { maxNewTokens, maxSequenceLength, ...(!ignoreEos && { eosToken: tokenizer.specialTokens.eos }) };
  const text = tokenizer.streamDecoder({ skipSpecialTokens: true });
  const steps = generatedText(generate(ids, nextToken(decoder, choose), limits), (token) => text.push(token), stops);
  return { steps, decoder };
}

function tooLong(length: number, maxSequenceLength: number): InvalidArgument {
  const description = `has ${length} tokens, bos included; the model's sequences have ${maxSequenceLength}`;
  return new InvalidArgument([{ field: "prompt", description }]);
}
