/** A dataset as it is first written down. */
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  Dataset_State,
  DatasetRecordSchema,
  DatasetSchema,
  type PackingSettings,
  PackingSettingsSchema,
} from "@pretrain/proto";
import type { PackedRecord } from "./dataset-changes.ts";
import { type DatasetInputs, datasetIdOf, type PackingRules, type SourceDigest } from "./dataset-identity.ts";

/** The rules that a request asks for; what has no effect with its other fields is 0. */
export function packingRules(settings: PackingSettings): PackingRules {
  return {
    format: settings.format === "text" ? "text" : "jsonl",
    validationEvery: settings.validationEvery,
    trainVocabularySize: settings.tokenizerPath === "" ? settings.trainVocabularySize : 0,
    maximumSequenceLength: settings.maxSequenceLength,
    cut: settings.cut === "keep_eos" ? "keep_eos" : "after_wrap",
    minimumRowCharacters: settings.format === "text" ? settings.minimumRowCharacters : 0,
  };
}

export function newDataset(settings: PackingSettings, inputs: DatasetInputs, now: Date): PackedRecord {
  const { train, validation, tokenizer } = inputs;
  const dataset = create(DatasetSchema, {
    name: `datasets/${datasetIdOf(settings.path, inputs)}`,
    state: Dataset_State.PENDING,
    settings,
    createTime: timestampFromDate(now),
  });
  const digests = create(DatasetRecordSchema, {
    train: digestMessage(train),
    ...(validation && { validation: digestMessage(validation) }),
    ...(tokenizer && { tokenizer: digestMessage(tokenizer) }),
  });
  return { ...digests, dataset };
}

/** Tells whether a repeated request asks for the same as the first. */
export function settingsSha256(settings: PackingSettings): string {
  return createHash("sha256").update(toBinary(PackingSettingsSchema, settings)).digest("hex");
}

function digestMessage({ sha256, sizeBytes }: SourceDigest) {
  return { sha256, sizeBytes: BigInt(sizeBytes) };
}
