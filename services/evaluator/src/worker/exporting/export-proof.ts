/**
 * Whether files hold the model that they were written from. They are read by their format alone, run in plain numbers of 64 bits, and
 * compared with what the evaluator computes: scores as it decodes, losses as it scores, tokens as it generates.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type PlainLlama, plainLogits } from "@pretrain/plain-llama";
import { Canary_Outcome, type CanarySchema } from "@pretrain/proto";
import { likeliest } from "@pretrain/scoring";
import type { LoadedModel } from "../load-model.ts";
import { nextToken } from "../next-token.ts";

export type Claim = MessageInitShape<typeof CanarySchema>;

/** Letters, a script without spaces, digits, and signs: two dozen tokens of any vocabulary. */
const text = "The whale, said the captain, is no fish; 鲸鱼不是鱼 (1851).";
const mostPromptTokens = 24;
const mostNewTokens = 16;

/** Of scores, as a share of the largest one: float32 gives 1e-6, a row in the wrong place 1e-2 and more. */
const scoresLimit = 1e-4;
/** Of a token's loss, in nats. */
const lossLimit = 1e-3;

/** A text, what the evaluator goes on with, and what it computes of both. */
export interface EvaluatedText {
  /** Tokens that were given. */
  readonly prompt: number;
  /** The given ones, and the likeliest behind them. */
  readonly tokens: readonly number[];
  /** Behind each token but the last. */
  readonly scores: readonly Float32Array[];
  /** Of each token but the first, in nats. */
  readonly losses: Float32Array;
}

/** @throws FailedPrecondition NOT_FINITE when the model's own scores are no numbers */
export async function evaluatedText(model: LoadedModel): Promise<EvaluatedText> {
  const continued = await decoded(model);
  const [losses = new Float32Array()] = model.program.losses([continued.tokens]);
  return { ...continued, losses };
}

/** @param exported the model as its files describe it */
export function exportProof({ prompt, tokens, scores, losses }: EvaluatedText, exported: PlainLlama): Claim[] {
  const plain = plainLogits(exported, tokens.slice(0, -1)); // nothing was decided behind the last token
  const rotaryPairs = exported.rotaryPairs === "halves" ? "neighbours" : "halves";
  const misread = plainLogits({ ...exported, rotaryPairs }, tokens.slice(0, prompt));
  return [
    scoresClaim(scores, plain, misread),
    lossesClaim(losses, tokens, plain),
    tokensClaim(tokens, prompt, plain, scoresLimit * largest(scores)),
  ];
}

/** One token at a time, as texts are generated. */
async function decoded({ program, shape, tokenizer }: LoadedModel): Promise<Omit<EvaluatedText, "losses">> {
  const { bos } = tokenizer.specialTokens;
  const room = shape.maxSequenceLength;
  const newTokens = Math.min(mostNewTokens, Math.floor(room / 2));
  const tokens = [bos, ...tokenizer.encode(text)].slice(0, Math.min(mostPromptTokens, room - newTokens));
  const prompt = tokens.length;
  const scores: Float32Array[] = [];
  using decoder = program.decoder(prompt + newTokens);
  const next = nextToken(decoder, (found) => {
    scores.push(Float32Array.from(found));
    return likeliest(found);
  });
  for (let read = 1; read < prompt + newTokens; read += 1) {
    const token = await next(tokens.slice(0, read));
    if (read >= prompt) tokens.push(token);
  }
  return { prompt, tokens, scores };
}

function scoresClaim(
  scores: readonly Float32Array[],
  plain: readonly Float64Array[],
  misread: readonly Float64Array[],
): Claim {
  const share = (others: readonly Float64Array[]) => furthest(scores, others) / largest(scores);
  const evidence =
    `${scores.length} positions of ${scores[0]?.length ?? 0} scores; read with the other order of rotary pairs, ` +
    `the same files would be off by ${share(misread).toExponential(1)}`;
  return claim({
    name: "export_scores",
    claim: "The files, read by their format alone, give the scores that the evaluator decodes with",
    deviation: share(plain),
    limit: scoresLimit,
    unit: "ratio",
    evidence,
  });
}

function lossesClaim(losses: Float32Array, tokens: readonly number[], plain: readonly Float64Array[]): Claim {
  const differences = plain.map((scores, position) =>
    Math.abs(costOf(scores, tokens[position + 1] ?? -1) - (losses[position] ?? Number.NaN)),
  );
  return claim({
    name: "export_losses",
    claim: "The files give the losses that the evaluator scores with",
    deviation: worst(differences),
    limit: lossLimit,
    unit: "nats",
    evidence: `${differences.length} tokens`,
  });
}

/** A token counts as another one where the files put one ahead of it by more than scores may differ. */
function tokensClaim(tokens: readonly number[], prompt: number, plain: readonly Float64Array[], tie: number): Claim {
  const continuation = tokens.slice(prompt);
  const others = continuation.filter((token, index) => {
    const scores = plain[prompt - 1 + index] ?? new Float64Array();
    return !(Math.max(...scores) - (scores[token] ?? Number.NaN) <= tie);
  });
  return claim({
    name: "export_tokens",
    claim: "The files go on with the tokens that the evaluator generates",
    deviation: others.length,
    limit: 0,
    unit: "tokens",
    evidence: `${continuation.length} tokens behind ${prompt}`,
  });
}

function claim(found: Claim & { readonly deviation: number; readonly limit: number }): Claim {
  const holds = found.deviation <= found.limit; // NaN does not
  return { ...found, outcome: holds ? Canary_Outcome.PASSED : Canary_Outcome.FAILED };
}

/** log Σ exp(scores) - scores[target], in nats. */
function costOf(scores: Float64Array, target: number): number {
  const top = Math.max(...scores);
  const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0)) + top;
  return logSum - (scores[target] ?? Number.NaN);
}

/** The largest difference of two scores in the same place, over the positions that both have. */
function furthest(scores: readonly Float32Array[], others: readonly Float64Array[]): number {
  const both = scores.slice(0, others.length);
  return worst(
    both.map((row, position) =>
      worst(Array.from(row, (score, token) => score - (others[position]?.[token] ?? Number.NaN))),
    ),
  );
}

function largest(scores: readonly Float32Array[]): number {
  return worst(scores.map((row) => worst([...row])));
}

/** The largest size; NaN where one is none. */
function worst(differences: readonly number[]): number {
  return differences.reduce((largestSoFar, difference) => Math.max(largestSoFar, Math.abs(difference)), 0);
}
