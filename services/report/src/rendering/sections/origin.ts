/** Of a fork: the checkpoint that it went on from, and what its recipe does otherwise. Of an import: the files it began with. */
import type { ImportedWeights, Origin, RecipeDifference, Report } from "@pretrain/proto";
import { counted } from "../figures.ts";
import { type Block, orNone, type Section } from "../record-document.ts";

/** No section for an experiment that begins with itself. */
export function originSections({ origin }: Report): readonly Section[] {
  if (origin === undefined) return [];
  return [origin.imported === undefined ? originSection(origin) : importSection(origin.imported)];
}

function importSection({ source, layout, files, notes, tokenizerSha256 }: ImportedWeights): Section {
  return {
    id: "origin",
    title: "Origin",
    origin: "given",
    source: "by the request that imported it; the files' digests were compared before the first step",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Weights imported from", { code: source }],
          ["Rows of queries and keys there", { code: layout }],
          ["SHA-256 of its tokenizer.json", tokenizerSha256 === "" ? "not there" : { code: tokenizerSha256 }],
          ["Changed or left out", notes.length === 0 ? "nothing" : notes.join("; ")],
        ],
      },
      {
        kind: "table",
        columns: [{ title: "File" }, { title: "Bytes", numeric: true }, { title: "SHA-256" }],
        rows: files.map(({ name, sizeBytes, sha256 }) => [{ code: name }, counted(sizeBytes), { code: sha256 }]),
      },
    ],
  };
}

function originSection({ checkpoint, manifestSha256, microStep, recipeSha256, differences }: Origin): Section {
  return {
    id: "origin",
    title: "Origin",
    origin: "given",
    source: "by the request that forked it; the checkpoint's digest was compared before the first step",
    blocks: [
      {
        kind: "facts",
        rows: [
          ["Goes on from", { code: checkpoint }],
          ["SHA-256 of its manifest", { code: manifestSha256 }],
          ["Micro-steps done there", counted(microStep)],
          ["SHA-256 of the parent's recipe", { code: recipeSha256 }],
        ],
      },
      { kind: "heading", text: "What the recipe does otherwise" },
      ...orNone([differenceTable(differences)], differences.length === 0, "nothing: the parent's recipe is continued"),
    ],
  };
}

function differenceTable(differences: readonly RecipeDifference[]): Block {
  return {
    kind: "table",
    columns: [{ title: "Field" }, { title: "Parent" }, { title: "This experiment" }],
    rows: differences.map(({ field, parent, fork }) => [{ code: field }, valueCell(parent), valueCell(fork)]),
  };
}

function valueCell(json: string) {
  return json === "" ? "not given" : { code: json };
}
