/** How long a continuation becomes: as many new tokens as asked for, whatever the prompt's length, unless something ends it. */
import { Generations } from "../generations.ts";
import type { TextQuestion } from "../protocol.ts";
import { scoreSample } from "../score-sample.ts";
import type { Canary } from "./canary.ts";
import { rowsOf } from "./exam-rows.ts";
import { cycleRow, type OracleModel } from "./known-models.ts";

export const generationLength: Canary<OracleModel> = {
  name: "generation_length",
  claim:
    "a continuation has the tokens asked for and none of the prompt; eos ends it and is one of them, the longest sequence ends it",
  unit: "tokens",
  limit: 0, // a count
  shapes: "widest",
  examine: async (oracle) => {
    const cases = [await afterBos(oracle), await none(oracle), await toEos(oracle), await toTheEnd(oracle)];
    cases.push(await sample(oracle, 2), await sample(oracle, oracle.cycle.length - 3));
    const wrong = cases.filter(({ made, due }) => made !== due);
    const words = cases.map(({ made, due }) => (made === due ? made : `${made} (instead of ${due})`));
    return { deviation: wrong.length, evidence: words.join("; ") };
  },
};

/** What was made, beside what is due, in words that hold tokens, reason and text. */
interface Case {
  readonly made: string;
  readonly due: string;
}

const greedy = { temperature: 0, topK: 0, topP: 1, seed: 0 };

/** Fewer than what is left of the cycle behind bos, so that no eos comes. */
function countFor({ cycle }: OracleModel): number {
  return Math.min(9, cycle.length - 4);
}

async function afterBos(oracle: OracleModel): Promise<Case> {
  const count = countFor(oracle);
  const made = await written(oracle, { prompt: "", maxNewTokens: count });
  return { made, due: inWords(oracle.cycle.slice(1, 1 + count), "max_new_tokens") };
}

async function none(oracle: OracleModel): Promise<Case> {
  return { made: await written(oracle, { prompt: oracle.text, maxNewTokens: 0 }), due: inWords([], "max_new_tokens") };
}

/** Behind the whole text eos comes at once, long before the tokens asked for. */
async function toEos(oracle: OracleModel): Promise<Case> {
  const made = await written(oracle, { prompt: oracle.text, maxNewTokens: 7 });
  return { made, due: inWords(oracle.cycle.slice(-1), "eos") };
}

/** To the end of a short sequence, whatever the model's own: reading thousands of tokens would prove no more. */
async function toTheEnd(oracle: OracleModel): Promise<Case> {
  const { model } = oracle;
  const maxSequenceLength = Math.min(shortSequence, model.shape.maxSequenceLength);
  const short = { ...oracle, model: { ...model, shape: { ...model.shape, maxSequenceLength } } };
  const made = await written(short, { prompt: "", maxNewTokens: 4 * shortSequence, ignoreEos: true });
  return { made, due: inWords(cycleRow(oracle, maxSequenceLength).slice(1), "max_sequence_length") };
}

const shortSequence = 20;

/** The continuation of a row that follows the cycle is the row's own, up to eos. @param inputLength tokens given */
async function sample(oracle: OracleModel, inputLength: number): Promise<Case> {
  const { tokenizer } = oracle.model;
  const predictLength = countFor(oracle);
  const tokens = cycleRow(oracle, inputLength + predictLength + 1);
  const [row] = rowsOf([tokens]);
  if (row === undefined) throw new Error("there is no row");
  const { generatedTokens, stopReason, predictedText } = await scoreSample(oracle.model, {
    row,
    inputLength,
    predictLength,
  });
  const eos = oracle.cycle.length - 1 - inputLength; // of the tokens behind the input
  const own = tokens.slice(inputLength, inputLength + Math.min(predictLength, eos + 1));
  const text = tokenizer.decode(own, { skipSpecialTokens: true });
  const words = (count: number, of: string, reason: string) =>
    `a sample's ${count} tokens ${JSON.stringify(of)}, ${reason}`;
  return {
    made: words(generatedTokens, predictedText, stopReason),
    due: words(own.length, text, eos < predictLength ? "eos" : "max_new_tokens"),
  };
}

type Asked = Pick<TextQuestion, "prompt" | "maxNewTokens"> & { readonly ignoreEos?: boolean };

function inWords(tokens: readonly number[], reason: string): string {
  return `${tokens.length} tokens ${tokens.join(" ")}, ${reason}`;
}

async function written({ model }: OracleModel, asked: Asked): Promise<string> {
  const generations = new Generations();
  const question = { sampling: greedy, stops: [], ignoreEos: false, ...asked };
  const generation = generations.begin(model, question, () => undefined);
  for (const tokens: number[] = []; ; ) {
    const next = await generations.next(generation);
    if ("stopReason" in next) return inWords(tokens, next.stopReason);
    tokens.push(next.token);
  }
}
