/** Packs one dataset: rows are read, checked, split, tokenized, wrapped, counted and written, one at a time. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { type BlobStore, sha256Hex } from "@pretrain/blobs";
import { FailedPrecondition } from "@pretrain/errors";
import { type DatasetReport, DatasetReportSchema, Split } from "@pretrain/proto";
import { ShardWriter, type SplitName } from "@pretrain/shards";
import { type Tokenizer, wrappedRow } from "@pretrain/tokenizer";
import type { Completion } from "../dataset/dataset-changes.ts";
import { type ReasonCount, ReasonCounts } from "../dataset/reason-counts.ts";
import { isForValidation } from "../dataset/split-rule.ts";
import { type SplitNumbers, SplitTally } from "../dataset/split-tally.ts";
import type { SourceFile } from "../reading/source-file.ts";
import { type KeptRow, withoutMarkers } from "../reading/source-row.ts";
import { sourceRows } from "../reading/source-rows.ts";
import { loadedTokenizer, tokenizerJson } from "./dataset-tokenizer.ts";
import { type PackJob, reportPart } from "./pack-job.ts";

/**
 * @param onProgress is told how many bytes of the sources were packed so far
 * @throws FailedPrecondition NO_ROWS when nothing can be trained on, or as `sourceChunks` and the blob store say
 */
export async function pack(
  job: PackJob,
  blobs: BlobStore,
  onProgress: (bytesRead: number) => void,
): Promise<Completion> {
  const json = await tokenizerJson(job);
  const tokenizer = loadedTokenizer(json, job.tokenizer?.givenPath ?? "the trained vocabulary");
  const tokenizerSha256 = sha256Hex(json);
  const tokenizerKey = `tokenizers/${tokenizerSha256}.json`;
  await blobs.put(tokenizerKey, json);

  const packing = new Packing(job, tokenizer, new ShardWriter(blobs, job.datasetId), onProgress);
  await packing.packFile(job.train, job.validation === undefined ? undefined : "train");
  if (job.validation !== undefined) await packing.packFile(job.validation, "validation");
  if (packing.report.splits[0]?.rows === 0n) throw noRows(job, packing.report);

  const { vocabularySize } = tokenizer;
  const { maximumSequenceLength } = job.rules;
  const report = { ...packing.report, tokenizerSha256, vocabularySize };
  await packing.writer.addPart(reportPart, Buffer.from(toJsonString(DatasetReportSchema, report, { prettySpaces: 1 })));
  const identity = { tokenizerKey, tokenizerSha256, vocabularySize, maximumSequenceLength };
  const { manifestSha256, splits } = await packing.writer.finish(identity);
  const rows = { trainRows: splits.train.rows, validationRows: splits.validation.rows };
  return { manifestSha256, tokenizerKey, tokenizerSha256, vocabularySize, ...rows };
}

class Packing {
  readonly writer: ShardWriter;
  readonly #job: PackJob;
  readonly #tokenizer: Tokenizer;
  readonly #onProgress: (bytesRead: number) => void;
  readonly #rejected = new ReasonCounts();
  readonly #warnings = new ReasonCounts();
  readonly #tallies: Readonly<Record<SplitName, SplitTally>>;
  #bytesRead = 0;
  #partsRead = 0;
  #alreadyWrapped = 0;

  constructor(job: PackJob, tokenizer: Tokenizer, writer: ShardWriter, onProgress: (bytesRead: number) => void) {
    this.#job = job;
    this.#tokenizer = tokenizer;
    this.writer = writer;
    this.#onProgress = onProgress;
    const { maximumSequenceLength } = job.rules;
    this.#tallies = { train: new SplitTally(maximumSequenceLength), validation: new SplitTally(maximumSequenceLength) };
  }

  /** @param split of all its rows; undefined: each row's text decides */
  async packFile(source: SourceFile, split: SplitName | undefined): Promise<void> {
    const onBytes = (bytes: number) => {
      this.#bytesRead += bytes;
      this.#onProgress(this.#bytesRead);
    };
    for await (const row of sourceRows(source, this.#job.rules, onBytes)) {
      this.#partsRead += "parts" in row ? row.parts : 1;
      if ("rejection" in row) this.#rejected.add(row.rejection, row.line);
      else await this.#packRow(row, split);
    }
  }

  async #packRow({ text, line, warnings }: KeptRow, split: SplitName | undefined): Promise<void> {
    const { maximumSequenceLength: maximumLength, cut, validationEvery } = this.#job.rules;
    const bare = withoutMarkers(text);
    const splitName = split ?? (isForValidation(bare, validationEvery) ? "validation" : "train");
    const ids = this.#tokenizer.encode(text);
    const row = wrappedRow(ids, this.#tokenizer.specialTokens, { maximumLength, cut });
    for (const warning of warnings) this.#warnings.add(warning, line);
    if (row.wasWrapped) this.#alreadyWrapped += 1;
    this.#tallies[splitName].add(row.ids, row.tokensLost, Buffer.byteLength(bare));
    await this.writer.append(splitName, row.ids);
  }

  /**
   * What is known of the dataset by its content alone. Its name, times and the digest of the manifest, which covers this
   * report, are added when it is asked for.
   */
  get report(): DatasetReport {
    const { train, validation } = this.#job;
    return create(DatasetReportSchema, {
      sourceSha256: train.sha256,
      sourceBytes: BigInt(train.sizeBytes),
      validationSourceSha256: validation?.sha256 ?? "",
      rowsRead: BigInt(this.#partsRead),
      rejected: this.#rejected.all.map(reasonMessage),
      warnings: this.#warnings.all.map(reasonMessage),
      rowsAlreadyWrapped: BigInt(this.#alreadyWrapped),
      splits: [
        { split: Split.TRAIN, ...splitMessage(this.#tallies.train.numbers) },
        { split: Split.VALIDATION, ...splitMessage(this.#tallies.validation.numbers) },
      ],
    });
  }
}

function reasonMessage({ reason, rows, firstLines }: ReasonCount) {
  return { reason, rows: BigInt(rows), firstLines: firstLines.map(BigInt) };
}

function splitMessage({ rows, tokens, rowsCut, tokensLost, targets, textBytes, ...rest }: SplitNumbers) {
  return {
    rows: BigInt(rows),
    tokens: BigInt(tokens),
    rowsCut: BigInt(rowsCut),
    tokensLost: BigInt(tokensLost),
    targets: BigInt(targets),
    textBytes: BigInt(textBytes),
    ...rest,
  };
}

function noRows({ train }: PackJob, { rowsRead, rejected }: DatasetReport): FailedPrecondition {
  const reasons = rejected.map(({ reason, rows, firstLines }) => `${rows} ${reason} (first in line ${firstLines[0]})`);
  const message = `${train.givenPath} has no row to train on: of ${rowsRead} read, rejected ${reasons.join(", ") || "none"}`;
  return new FailedPrecondition("NO_ROWS", message, { path: train.givenPath });
}
