/** Generated tokens with the text that they make: whole characters only, and nothing of a stop text. */
import type { StopReason } from "./generate.ts";
import { stopTexts } from "./stop-texts.ts";

export interface TextStep {
  readonly token: number;
  /** Text that is certain with it: empty while a character is incomplete, or what came last may be the beginning of a stop text. */
  readonly text: string;
}

export interface TextEnd {
  readonly stopReason: StopReason | "stop";
  /** Text that was held back and turned out to be no stop text. A character that is still incomplete is left out. */
  readonly text: string;
}

/**
 * The tokens as they come, also those that make a stop text: they were generated, and are counted. After the token that completes one
 * no further token is asked for.
 *
 * @param tokens as `generate` makes them   @param decode the text that a token completes, in whole characters
 */
export async function* generatedText(
  tokens: AsyncGenerator<number, StopReason, void>,
  decode: (token: number) => string,
  stops: readonly string[],
): AsyncGenerator<TextStep, TextEnd, void> {
  const stop = stopTexts(stops);
  for (;;) {
    const { done, value } = await tokens.next();
    if (done === true) return { stopReason: value, text: stop.end() };
    const { text, isStopped } = stop.push(decode(value));
    yield { token: value, text };
    if (isStopped) return { stopReason: "stop", text: "" };
  }
}
