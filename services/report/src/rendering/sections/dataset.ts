/** What packing the data found. */
import { type DatasetReport, type RejectedRows, type Report, Split, type SplitReport } from "@pretrain/proto";
import { bytes, counted, duration, percent } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function datasetSection({ dataset }: Report): Section {
  return {
    id: "dataset",
    title: "Dataset",
    origin: "measured",
    source: "by the data-shard service while it packed the text",
    blocks:
      dataset === undefined ? [{ kind: "paragraph", text: "The data has not been packed." }] : datasetBlocks(dataset),
  };
}

function datasetBlocks(dataset: DatasetReport): Block[] {
  return [
    { kind: "facts", rows: sourceFacts(dataset) },
    { kind: "heading", text: "Splits" },
    ...orNone([splitTable(dataset.splits)], dataset.splits.length === 0),
    { kind: "heading", text: "Rejected rows" },
    ...orNone([rowTable(dataset.rejected)], dataset.rejected.length === 0),
    { kind: "heading", text: "Rows kept with a warning" },
    ...orNone([rowTable(dataset.warnings)], dataset.warnings.length === 0),
  ];
}

function sourceFacts(dataset: DatasetReport): (readonly [string, Cell])[] {
  return [
    ["Name", { code: dataset.dataset }],
    ["Training file", `${dataset.sourceName}, ${bytes(dataset.sourceBytes)}`],
    ["SHA-256 of the training file", { code: dataset.sourceSha256 }],
    [
      "SHA-256 of the validation file",
      dataset.validationSourceSha256 === "" ? "none: rows were set aside" : { code: dataset.validationSourceSha256 },
    ],
    ["SHA-256 of the tokenizer", { code: dataset.tokenizerSha256 }],
    ["SHA-256 of the dataset's manifest", { code: dataset.manifestSha256 }],
    ["Vocabulary", `${counted(dataset.vocabularySize)} entries`],
    ["Rows read", counted(dataset.rowsRead)],
    ["Rows that carried the markers already", counted(dataset.rowsAlreadyWrapped)],
    ["Packed in", duration(dataset.durationSeconds)],
  ];
}

function splitTable(splits: readonly SplitReport[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Split" },
      { title: "Rows", numeric: true },
      { title: "Tokens", numeric: true },
      { title: "Targets", numeric: true },
      { title: "Rows cut", numeric: true },
      { title: "Tokens lost", numeric: true },
      { title: "Padding", numeric: true },
      { title: "Text", numeric: true },
      { title: "SHA-256 of the padded ids" },
    ],
    rows: splits.map((split) => [
      split.split === Split.TRAIN ? "training" : "validation",
      counted(split.rows),
      counted(split.tokens),
      counted(split.targets),
      counted(split.rowsCut),
      counted(split.tokensLost),
      percent(split.paddingShare),
      bytes(split.textBytes),
      { code: split.paddedIdsSha256 },
    ]),
  };
}

function rowTable(rows: readonly RejectedRows[]): Block {
  return {
    kind: "table",
    columns: [{ title: "Reason" }, { title: "Rows", numeric: true }, { title: "First lines" }],
    rows: rows.map(({ reason, rows: count, firstLines }) => [
      { code: reason },
      counted(count),
      firstLines.map(counted).join(", "),
    ]),
  };
}
