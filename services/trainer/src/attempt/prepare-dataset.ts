/** The data of an experiment: packed by data-shard, waited for, and fit for the model. */
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import {
  type DataShardService,
  type Dataset,
  type DatasetReport,
  Dataset_State as DatasetState,
  PackDatasetRequestSchema,
  Experiment_Reason as Reason,
} from "@pretrain/proto";
import type { CompleteRecipe } from "@pretrain/recipe";
import type { PretrainClient } from "@pretrain/rpc";
import { ExperimentFault } from "./faults.ts";
import { patiently } from "./patiently.ts";

export type DataShard = Pick<
  PretrainClient<typeof DataShardService>,
  "packDataset" | "getDataset" | "getDatasetReport" | "streamBatches"
>;

const pollMs = 200;

export interface PreparedDataset {
  readonly dataset: Dataset;
  readonly report: DatasetReport;
}

/**
 * @throws ExperimentFault INVALID_INPUT when the file cannot be packed, or its tokenizer is not the model's; AttemptFault
 *   when data-shard does not answer for long
 */
export async function prepareDataset(
  dataShard: DataShard,
  recipe: CompleteRecipe,
  signal: AbortSignal,
  onWait: (reason: string) => void,
): Promise<PreparedDataset> {
  const dataset = await packed(dataShard, recipe, signal, onWait);
  expectFit(dataset, recipe);
  const report = await patiently(() => dataShard.getDatasetReport({ name: dataset.name }, { signal }), signal);
  return { dataset, report };
}

async function packed(
  dataShard: DataShard,
  { data, model }: CompleteRecipe,
  signal: AbortSignal,
  onWait: (reason: string) => void,
): Promise<Dataset> {
  const request = create(PackDatasetRequestSchema, {
    settings: {
      path: data.path,
      format: data.format,
      validationPath: data.validationPath,
      validationEvery: data.validationEvery,
      tokenizerPath: data.tokenizerPath,
      trainVocabularySize: data.tokenizerPath === "" ? model.vocabSize : 0,
      maxSequenceLength: model.maxSeqLen,
      cut: data.cut,
      minimumRowCharacters: data.minimumRowCharacters,
    },
  });
  let dataset = await patiently(() => dataShard.packDataset(request, { signal }), signal, onWait).catch(refused);
  while (dataset.state !== DatasetState.READY) {
    if (dataset.state === DatasetState.FAILED) throw new ExperimentFault(Reason.INVALID_INPUT, dataset.error);
    await pause(pollMs, undefined, { signal });
    const { name } = dataset;
    dataset = await patiently(() => dataShard.getDataset({ name }, { signal }), signal);
  }
  return dataset;
}

/** What data-shard calls `settings.path` is `recipe.data.path` for the author of the recipe. */
function refused(error: unknown): never {
  if (!(error instanceof InvalidArgument)) throw error;
  const message = error.violations.map(({ field, description }) => `${inRecipe(field)}: ${description}`).join("; ");
  throw new ExperimentFault(Reason.INVALID_INPUT, message || error.message);
}

function inRecipe(field: string): string {
  if (field === "settings.max_sequence_length") return "recipe.model.max_seq_len";
  if (field === "settings.train_vocabulary_size") return "recipe.model.vocab_size";
  return field.replace(/^settings\./, "recipe.data.");
}

function expectFit({ vocabularySize, trainRows, name }: Dataset, { model, data }: CompleteRecipe): void {
  if (vocabularySize !== model.vocabSize) {
    const found = `${model.vocabSize}, but the tokenizer has ${vocabularySize} entries`;
    const cure = data.tokenizerPath === "" ? "the text is too short for more" : "they must be the same";
    throw new ExperimentFault(Reason.INVALID_INPUT, `recipe.model.vocab_size: ${found}; ${cure}`);
  }
  if (trainRows > 0n) return;
  throw new ExperimentFault(Reason.INVALID_INPUT, `recipe.data.path: ${name} has no row to train on`);
}
