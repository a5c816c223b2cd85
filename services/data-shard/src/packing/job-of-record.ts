/** From a record to the work: where the files are now, and what they must hold. */
import { FailedPrecondition } from "@pretrain/errors";
import type { PackingSettings, SourceDigest } from "@pretrain/proto";
import type { PackedRecord } from "../dataset/dataset-changes.ts";
import { datasetIdOfName } from "../dataset/dataset-identity.ts";
import { packingRules } from "../dataset/new-dataset.ts";
import type { SourceFile } from "../reading/source-file.ts";
import { findSource } from "../reading/source-path.ts";
import type { PackJob } from "./pack-job.ts";

/** @throws FailedPrecondition SOURCE_GONE when a file is not there any more */
export async function jobOf(
  { dataset, train, validation, tokenizer }: PackedRecord,
  dataRoots: readonly string[],
): Promise<PackJob> {
  const { settings } = dataset;
  if (settings === undefined || train === undefined) throw new Error(`the record of ${dataset.name} is incomplete`);
  const locate = (key: keyof typeof pathFields, digest: SourceDigest | undefined) =>
    digest === undefined ? undefined : located(dataRoots, settings, key, digest);
  return {
    datasetId: datasetIdOfName(dataset.name),
    train: await located(dataRoots, settings, "path", train),
    validation: await locate("validationPath", validation),
    tokenizer: await locate("tokenizerPath", tokenizer),
    rules: packingRules(settings),
  };
}

const pathFields = {
  path: "settings.path",
  validationPath: "settings.validation_path",
  tokenizerPath: "settings.tokenizer_path",
} as const;

async function located(
  dataRoots: readonly string[],
  settings: PackingSettings,
  key: keyof typeof pathFields,
  { sha256, sizeBytes }: SourceDigest,
): Promise<SourceFile> {
  const givenPath = settings[key];
  const found = await findSource(dataRoots, givenPath, pathFields[key]);
  if ("violation" in found)
    throw new FailedPrecondition("SOURCE_GONE", found.violation.description, { path: givenPath });
  return { path: found.path, givenPath, sha256, sizeBytes: Number(sizeBytes) };
}
