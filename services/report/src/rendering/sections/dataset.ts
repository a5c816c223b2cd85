/** What packing the data found. */
import { type DatasetReport, type RejectedRows, type Report, Split, type SplitReport } from "@pretrain/proto";
import { bytes, counted, duration, percent } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

type Texts = Phrases["file"]["dataset"];

export function datasetSection({ dataset }: Report, words: Phrases): Section {
  const { dataset: texts } = words.file;
  return {
    id: "dataset",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: dataset === undefined ? [{ kind: "paragraph", text: texts.notPacked }] : datasetBlocks(dataset, words),
  };
}

function datasetBlocks(dataset: DatasetReport, words: Phrases): Block[] {
  const { dataset: texts } = words.file;
  const { none } = words.document;
  return [
    { kind: "facts", rows: sourceFacts(dataset, texts) },
    { kind: "heading", text: texts.splits },
    ...orNone([splitTable(dataset.splits, texts)], dataset.splits.length === 0, none),
    { kind: "heading", text: texts.rejected },
    ...orNone([rowTable(dataset.rejected, texts)], dataset.rejected.length === 0, none),
    { kind: "heading", text: texts.warned },
    ...orNone([rowTable(dataset.warnings, texts)], dataset.warnings.length === 0, none),
  ];
}

function sourceFacts(dataset: DatasetReport, texts: Texts): (readonly [string, Cell])[] {
  return [
    [texts.name, { code: dataset.dataset }],
    [texts.file, texts.fileAndSize(dataset.sourceName, bytes(dataset.sourceBytes))],
    [texts.fileDigest, { code: dataset.sourceSha256 }],
    [
      texts.validationDigest,
      dataset.validationSourceSha256 === "" ? texts.setAside : { code: dataset.validationSourceSha256 },
    ],
    [texts.tokenizer, { code: dataset.tokenizerSha256 }],
    [texts.manifest, { code: dataset.manifestSha256 }],
    [texts.vocabulary, texts.entries(counted(dataset.vocabularySize))],
    [texts.rowsRead, counted(dataset.rowsRead)],
    [texts.wrapped, counted(dataset.rowsAlreadyWrapped)],
    [texts.packedIn, duration(dataset.durationSeconds)],
  ];
}

function splitTable(splits: readonly SplitReport[], texts: Texts): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.split },
      { title: texts.rows, numeric: true },
      { title: texts.tokens, numeric: true },
      { title: texts.targets, numeric: true },
      { title: texts.cut, numeric: true },
      { title: texts.lost, numeric: true },
      { title: texts.padding, numeric: true },
      { title: texts.text, numeric: true },
      { title: texts.ids },
    ],
    rows: splits.map((split) => [
      split.split === Split.TRAIN ? texts.training : texts.validation,
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

function rowTable(rows: readonly RejectedRows[], texts: Texts): Block {
  return {
    kind: "table",
    columns: [{ title: texts.reason }, { title: texts.rows, numeric: true }, { title: texts.firstLines }],
    rows: rows.map(({ reason, rows: count, firstLines }) => [
      { code: reason },
      counted(count),
      firstLines.map(counted).join(", "),
    ]),
  };
}
