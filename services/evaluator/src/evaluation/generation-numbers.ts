/** What is told of the texts that a model generated, and of their likeness to the true ones. */
import { create } from "@bufbuild/protobuf";
import { corpusBleu, corpusChrf, runCounts, wordRuleFor } from "@pretrain/measures";
import { type GenerationStatistics, GenerationStatisticsSchema } from "@pretrain/proto";
import type { ScoredSample } from "../worker/protocol.ts";

const runLengths = [1, 2, 3, 4];

/** @param predictLength tokens asked for of each */
export function generationNumbers(predictLength: number, samples: readonly ScoredSample[]): GenerationStatistics {
  return create(GenerationStatisticsSchema, {
    requestedTokens: BigInt(predictLength * samples.length),
    generatedTokens: BigInt(samples.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0)),
    eosFound: BigInt(samples.filter(({ stopReason }) => stopReason === "eos").length),
    samples: BigInt(samples.length),
    runs: runLengths.map((length) => runMessage(samples, length)),
    ...likeness(samples),
  });
}

function runMessage(samples: readonly ScoredSample[], length: number) {
  const { runTokens, runs, distinct, repeated } = runCounts(
    samples.map(({ generated }) => generated),
    length,
  );
  return { runTokens, runs: BigInt(runs), distinct: BigInt(distinct), repeated: BigInt(repeated) };
}

/** Which tokenization BLEU has is decided by the true texts, which all checkpoints of a dataset have in common. */
function likeness(
  samples: readonly ScoredSample[],
): Partial<Pick<GenerationStatistics, "bleu" | "chrf" | "bleuWords">> {
  const pairs = samples.map(({ predictedText, trueText }) => ({ made: predictedText, reference: trueText }));
  const bleuWords = wordRuleFor(samples.map(({ trueText }) => trueText));
  const [bleu, chrf] = [corpusBleu(pairs, bleuWords), corpusChrf(pairs)];
  return { ...(bleu !== undefined && { bleu, bleuWords }), ...(chrf !== undefined && { chrf }) };
}
