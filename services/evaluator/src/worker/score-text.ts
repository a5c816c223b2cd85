/** What each token of a text costs, by the functions that score the rows of an evaluation. */
import { FailedPrecondition, InvalidArgument, type Violation } from "@pretrain/errors";
import { rollingWindows, type ScoringWindow, textLoss } from "@pretrain/measures";
import type { Tokenizer } from "@pretrain/tokenizer";
import type { LoadedModel } from "./load-model.ts";
import { openedText } from "./opened-text.ts";
import type { ScoredText, ScoredToken, TextToScore } from "./protocol.ts";

/**
 * Tokens that all windows together may read: an answer holds as many, and the 26M model reads them in some 100 s on two cores, while
 * whoever else needs this process waits.
 */
const mostTokens = 2 ** 17;

/**
 * @throws InvalidArgument when there is no token to score, there are too many, or context and stride make no sense; FailedPrecondition
 *   when a loss is no finite number
 */
export function scoreText({ program, shape, tokenizer }: LoadedModel, question: TextToScore): ScoredText {
  const row = rowOf(tokenizer, question);
  const window = windowOf(question, shape.maxSequenceLength);
  expectScorable(row.ids.length - 1, window);
  const [scores] = program.scores([row.ids], undefined, window);
  if (scores === undefined) throw new Error("a row was scored and has no scores");
  const tokens = row.ids.slice(1).map((token, index): ScoredToken => {
    const nats = scores.losses[index] ?? Number.NaN;
    if (!Number.isFinite(nats)) throw new FailedPrecondition("NOT_FINITE", `token ${index} of the text costs ${nats}`);
    const { byteOffset, byteLength } = row.places[index + 1] ?? { byteOffset: 0, byteLength: 0 };
    return { token, byteOffset, byteLength, nats, top1: scores.likeliest[index] === token };
  });
  return { tokens, text: ownText(tokenizer, tokens) };
}

/** What the text itself cost, and its bytes: a marker is in neither, also where the text spells its name. */
function ownText(tokenizer: Tokenizer, tokens: readonly ScoredToken[]): ScoredText["text"] {
  const markers: readonly number[] = Object.values(tokenizer.specialTokens);
  const { nats, bytes } = textLoss({
    losses: tokens.map((token) => token.nats),
    tokenBytes: tokens.map(({ token, byteLength }) => (markers.includes(token) ? 0 : byteLength)),
  });
  return { nats, bytes };
}

interface TextRow {
  readonly ids: readonly number[];
  /** Of each id where its bytes stand in the text. */
  readonly places: readonly { readonly byteOffset: number; readonly byteLength: number }[];
}

/**
 * The text as a row, as a dataset has it: bos, the text, and eos where it is asked for, each marker once. The bytes of its own tokens
 * one after the other are the text; a marker that was put there has none.
 */
function rowOf(tokenizer: Tokenizer, { text, eos }: TextToScore): TextRow {
  const own = tokenizer.encode(text).length;
  const opened = openedText(tokenizer, text);
  const isClosed = !eos || opened.at(-1) === tokenizer.specialTokens.eos;
  const ids = isClosed ? opened : [...opened, tokenizer.specialTokens.eos];
  const first = opened.length - own;
  let end = 0;
  const places = ids.map((id, index) => {
    const byteOffset = end;
    const byteLength = index >= first && index < opened.length ? tokenizer.tokenBytes(id).length : 0;
    end += byteLength;
    return { byteOffset, byteLength };
  });
  return { ids, places };
}

/** @param longest context that the model has: a whole sequence, from which one more token is predicted */
function windowOf({ context, stride }: TextToScore, longest: number): ScoringWindow {
  const chosen = context === 0 ? longest : context;
  const violations: Violation[] = [];
  if (chosen > longest) {
    violations.push({ field: "context", description: `${chosen} tokens; the model predicts from at most ${longest}` });
  }
  if (stride > chosen) {
    const description = `${stride} new tokens in a window of ${chosen}: tokens between two windows would not be scored`;
    violations.push({ field: "stride", description });
  }
  refuse(violations);
  return { context: chosen, stride: stride === 0 ? chosen : stride };
}

function expectScorable(targets: number, { context, stride }: ScoringWindow): void {
  if (targets < 1) refuse([{ field: "text", description: "has no token to score; give a text, or ask for eos" }]);
  if (targets > mostTokens) {
    refuse([
      { field: "text", description: `has ${targets} tokens, at most ${mostTokens} are scored; send it in parts` },
    ]);
  }
  const windows = rollingWindows(targets, context, stride);
  const read = windows.reduce((sum, { input: [begin, end] }) => sum + end - begin, 0);
  if (read > mostTokens) {
    const description = `${read} tokens would be read in all windows, at most ${mostTokens} are; choose a longer stride, or send parts`;
    refuse([{ field: "stride", description }]);
  }
}

function refuse([first, ...rest]: readonly Violation[]): void {
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
}
