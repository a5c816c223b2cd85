/** CompareEvaluations: which of two is better on the same rows, and whether that can be told. */
import { setImmediate as turn } from "node:timers/promises";
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { FailedPrecondition, ResourceExhausted } from "@pretrain/errors";
import { readLosses } from "@pretrain/losses";
import type { CompareEvaluationsRequest, Comparison, DataShardService, Evaluation } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { loadTokenizer, type Tokenizer } from "@pretrain/tokenizer";
import { comparison, type Measured } from "../evaluation/comparison.ts";
import { evaluationOf } from "../evaluation/lifecycle.ts";
import { namedEvaluation } from "../evaluation/named-evaluation.ts";
import { settingsOfRecipe } from "../evaluation/settings.ts";
import type { EvaluationRecords } from "../stores/evaluation-records.ts";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";

export interface CompareDependencies {
  readonly records: Pick<EvaluationRecords, "list">;
  readonly blobs: BlobStore;
  readonly dataShard: Pick<PretrainClient<typeof DataShardService>, "getDataset">;
}

/** Each holds the losses of two evaluations in memory. */
const limit = 2;

/**
 * @throws NotFound, InvalidArgument, FailedPrecondition as `namedEvaluation` and `comparison`; DataLoss when kept losses or the
 *   tokenizer are damaged; ResourceExhausted when two comparisons are under way
 */
export const compareEvaluations = (dependencies: CompareDependencies) => {
  let underWay = 0;
  return async (request: CompareEvaluationsRequest): Promise<Comparison> => {
    if (underWay >= limit) {
      throw new ResourceExhausted("TOO_MANY_COMPARISONS", `${limit} comparisons are under way; try again soon`);
    }
    underWay += 1;
    try {
      return await compared(dependencies, request);
    } finally {
      underWay -= 1;
    }
  };
};

async function compared(
  { records, blobs, dataShard }: CompareDependencies,
  { baseline, candidate, listedRows }: CompareEvaluationsRequest,
): Promise<Comparison> {
  const evaluations = (await records.list()).map(({ value }) => evaluationOf(value));
  const recipeSettings = async (experiment: string) =>
    settingsOfRecipe((await readExperimentRecipe(blobs, experiment)).recipe);
  const meant = (name: string, field: string) => namedEvaluation(name, field, { evaluations, recipeSettings });
  const [one, other] = [await meant(baseline, "baseline"), await meant(candidate, "candidate")];
  const measured = [await keptOf(blobs, one), await keptOf(blobs, other)] as const;
  let tokenizer: Promise<Tokenizer> | undefined; // read when there is a text to be shown
  return await comparison(...measured, {
    listedRows: listedRows === 0 ? 10 : listedRows,
    textOf: async (tokens) => beginningOf(await (tokenizer ??= tokenizerOf({ blobs, dataShard }, one)), tokens),
    turn,
  });
}

async function keptOf(blobs: BlobStore, { name, lossesBlob, lossesSha256 }: Evaluation): Promise<Measured> {
  if (lossesBlob !== "") return { name, losses: await readLosses(blobs, { blob: lossesBlob, sha256: lossesSha256 }) };
  const message = `${name} was measured before losses were kept; measure its checkpoint again as a correction of it`;
  throw new FailedPrecondition("NO_KEPT_LOSSES", message, { evaluation: name });
}

async function tokenizerOf(
  { blobs, dataShard }: Pick<CompareDependencies, "blobs" | "dataShard">,
  { dataset, tokenizerSha256 }: Evaluation,
): Promise<Tokenizer> {
  const { tokenizerBlob } = await dataShard.getDataset({ name: dataset });
  return loadTokenizer(await verifiedRead(blobs, tokenizerBlob, tokenizerSha256));
}

const shownCharacters = 200;

/** The first characters of a row, markers left out; no character has more than four tokens. */
function beginningOf(tokenizer: Tokenizer, tokens: Int32Array): string {
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true });
  const text = Array.from(tokens.subarray(0, 4 * shownCharacters), (token) => decoder.push(token)).join("");
  return Array.from(text).slice(0, shownCharacters).join("");
}
