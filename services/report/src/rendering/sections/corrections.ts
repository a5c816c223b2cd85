/** Numbers that were wrong and were measured anew: what they were, what they are, why, and who says so. */
import type { Report } from "@pretrain/proto";
import { type CorrectedNumber, type EffectiveCorrection, effectiveCorrections } from "../../record/corrections.ts";
import { change, counted, metricValue, moment } from "../figures.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function correctionsSection({ evaluations }: Pick<Report, "evaluations">): Section {
  const corrections = effectiveCorrections(evaluations);
  return {
    id: "corrections",
    title: "Corrections",
    origin: "measured",
    source:
      "evaluations that supersede others of the same checkpoint; the old ones stay in the table of evaluations, and no verdict uses them. A change is in percent of the old value",
    blocks: orNone(corrections.flatMap(correctionBlocks), corrections.length === 0),
  };
}

function correctionBlocks({ correction, corrected, numbers }: EffectiveCorrection): Block[] {
  const { name, microStep, endTime, supersedes } = correction;
  const unchanged = numbers.filter((number) => !isChanged(number)).map(({ metric }) => metric);
  const facts: (readonly [string, Cell])[] = [
    ["Superseded", { code: supersedes.evaluation }],
    ["By", { code: name }],
    ["Measured anew", moment(endTime)],
    ["Author", supersedes.author],
    ...(corrected === undefined ? [["Old values", "their event is missing"] as const] : []),
    ...(unchanged.length > 0 ? [["Unchanged", unchanged.join(", ")] as const] : []),
  ];
  return [
    { kind: "heading", text: `Micro-step ${counted(microStep)}` },
    { kind: "facts", rows: facts },
    ...orNone([numbersTable(numbers.filter(isChanged))], !numbers.some(isChanged), "No number has changed."),
    { kind: "words", label: "Cause", text: supersedes.cause },
    { kind: "words", label: "Fix", text: supersedes.fix },
  ];
}

function isChanged({ before, after }: CorrectedNumber): boolean {
  return before !== after;
}

function numbersTable(numbers: readonly CorrectedNumber[]): Block {
  return {
    kind: "table",
    columns: [
      { title: "Number" },
      { title: "Old", numeric: true },
      { title: "New", numeric: true },
      { title: "Change", numeric: true },
    ],
    rows: numbers.map(({ metric, before, after, changePercent }) => [
      { code: metric },
      metricValue(metric, before),
      metricValue(metric, after),
      change(changePercent),
    ]),
  };
}
