/** Of a fork: the checkpoint that it went on from, and what its recipe does otherwise. Of an import: the files it began with. */
import type { ImportedWeights, Origin, RecipeDifference, Report } from "@pretrain/proto";
import { counted } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

/** No section for an experiment that begins with itself. */
export function originSections({ origin }: Report, words: Phrases): readonly Section[] {
  if (origin === undefined) return [];
  return [origin.imported === undefined ? originSection(origin, words) : importSection(origin.imported, words)];
}

function importSection(imported: ImportedWeights, { file: { origin: texts } }: Phrases): Section {
  const { source, layout, files, notes, tokenizerSha256 } = imported;
  return {
    id: "origin",
    title: texts.title,
    origin: "given",
    source: texts.importedSource,
    blocks: [
      {
        kind: "facts",
        rows: [
          [texts.weights, { code: source }],
          [texts.layout, { code: layout }],
          [texts.tokenizer, tokenizerSha256 === "" ? texts.notThere : { code: tokenizerSha256 }],
          [texts.changed, notes.length === 0 ? texts.nothing : { words: notes.join("; ") }],
        ],
      },
      {
        kind: "table",
        columns: [{ title: texts.file }, { title: texts.bytes, numeric: true }, { title: texts.digest }],
        rows: files.map(({ name, sizeBytes, sha256 }) => [{ code: name }, counted(sizeBytes), { code: sha256 }]),
      },
    ],
  };
}

function originSection(origin: Origin, { file: { origin: texts } }: Phrases): Section {
  const { checkpoint, manifestSha256, microStep, recipeSha256, differences } = origin;
  return {
    id: "origin",
    title: texts.title,
    origin: "given",
    source: texts.forkedSource,
    blocks: [
      {
        kind: "facts",
        rows: [
          [texts.goesOnFrom, { code: checkpoint }],
          [texts.manifest, { code: manifestSha256 }],
          [texts.microSteps, counted(microStep)],
          [texts.parentRecipe, { code: recipeSha256 }],
        ],
      },
      { kind: "heading", text: texts.differences },
      ...orNone([differenceTable(differences, texts)], differences.length === 0, texts.continued),
    ],
  };
}

function differenceTable(differences: readonly RecipeDifference[], texts: Phrases["file"]["origin"]): Block {
  return {
    kind: "table",
    columns: [{ title: texts.field }, { title: texts.parent }, { title: texts.here }],
    rows: differences.map(({ field, parent, fork }) => [
      { code: field },
      valueCell(parent, texts),
      valueCell(fork, texts),
    ]),
  };
}

function valueCell(json: string, { notGiven }: Phrases["file"]["origin"]): Cell {
  return json === "" ? notGiven : { code: json };
}
