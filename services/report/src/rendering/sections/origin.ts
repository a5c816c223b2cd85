/** Of a fork: the checkpoint that it went on from, and what its recipe does otherwise. */
import type { Origin, RecipeDifference, Report } from "@pretrain/proto";
import { counted } from "../figures.ts";
import { type Block, orNone, type Section } from "../record-document.ts";

/** No section for an experiment that begins with itself. */
export function originSections({ origin }: Report): readonly Section[] {
  return origin === undefined ? [] : [originSection(origin)];
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
