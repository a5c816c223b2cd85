/** The tokenizer of a dataset: read from a file, or learned from the rows that will be trained on. */
import { InvalidArgument } from "@pretrain/errors";
import { loadTokenizer, type Tokenizer, TokenizerError, trainTokenizer } from "@pretrain/tokenizer";
import { isForValidation } from "../dataset/split-rule.ts";
import { sourceChunks } from "../reading/source-file.ts";
import { withoutMarkers } from "../reading/source-row.ts";
import { sourceRows } from "../reading/source-rows.ts";
import type { PackJob } from "./pack-job.ts";

export const tokenizerField = "settings.tokenizer_path";

/** A tokenizer learns from this much of the training text at most, from its begin: more changes little and costs minutes. */
const trainingTextBytes = 32 * 2 ** 20;

/** The bytes of the tokenizer.json. @throws as `sourceChunks` */
export async function tokenizerJson(job: PackJob): Promise<Uint8Array> {
  if (job.tokenizer !== undefined) return Buffer.concat(await Array.fromAsync(sourceChunks(job.tokenizer)));
  const json = await trainTokenizer(trainingTexts(job), { vocabularySize: job.rules.trainVocabularySize });
  return new TextEncoder().encode(json);
}

/** @throws InvalidArgument for a file that is no tokenizer, under the field of the request that named it */
export function loadedTokenizer(json: Uint8Array, givenPath: string): Tokenizer {
  try {
    return loadTokenizer(json);
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    const description = `${givenPath} is no tokenizer that can be used: ${error.message}`;
    throw new InvalidArgument([{ field: tokenizerField, description }], { cause: error });
  }
}

/** The texts of the training rows, without markers: their names are tokens of their own and not to be learned as letters. */
async function* trainingTexts({ train, validation, rules }: PackJob): AsyncGenerator<string> {
  let textBytes = 0;
  for await (const row of sourceRows(train, rules, () => undefined)) {
    if ("rejection" in row) continue;
    const text = withoutMarkers(row.text);
    if (validation === undefined && isForValidation(text, rules.validationEvery)) continue;
    textBytes += Buffer.byteLength(text);
    if (textBytes > trainingTextBytes) return;
    yield text;
  }
}
