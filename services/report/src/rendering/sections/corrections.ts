/** Numbers that were wrong and were measured anew: what they were, what they are, why, and who says so. */
import type { Report } from "@pretrain/proto";
import { type CorrectedNumber, type EffectiveCorrection, effectiveCorrections } from "../../record/corrections.ts";
import { change, counted, metricValue, moment } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

type Texts = Phrases["evaluation"]["corrections"];

export function correctionsSection({ evaluations }: Pick<Report, "evaluations">, words: Phrases): Section {
  const { corrections: texts } = words.evaluation;
  const corrections = effectiveCorrections(evaluations);
  return {
    id: "corrections",
    title: texts.title,
    origin: "measured",
    source: texts.source,
    blocks: orNone(
      corrections.flatMap((each) => correctionBlocks(each, texts)),
      corrections.length === 0,
      words.document.none,
    ),
  };
}

function correctionBlocks({ correction, corrected, numbers }: EffectiveCorrection, texts: Texts): Block[] {
  const { name, microStep, endTime, supersedes } = correction;
  const unchanged = numbers.filter((number) => !isChanged(number)).map(({ metric }) => metric);
  const facts: (readonly [string, Cell])[] = [
    [texts.superseded, { code: supersedes.evaluation }],
    [texts.by, { code: name }],
    [texts.measured, moment(endTime)],
    [texts.author, { words: supersedes.author }],
    ...(corrected === undefined ? [[texts.oldValues, texts.eventMissing] as const] : []),
    ...(unchanged.length > 0 ? [[texts.unchanged, unchanged.join(", ")] as const] : []),
  ];
  return [
    { kind: "heading", text: texts.microStep(counted(microStep)) },
    { kind: "facts", rows: facts },
    ...orNone([numbersTable(numbers.filter(isChanged), texts)], !numbers.some(isChanged), texts.noneChanged),
    { kind: "words", label: texts.cause, text: supersedes.cause },
    { kind: "words", label: texts.fix, text: supersedes.fix },
  ];
}

function isChanged({ before, after }: CorrectedNumber): boolean {
  return before !== after;
}

function numbersTable(numbers: readonly CorrectedNumber[], texts: Texts): Block {
  return {
    kind: "table",
    columns: [
      { title: texts.number },
      { title: texts.before, numeric: true },
      { title: texts.after, numeric: true },
      { title: texts.change, numeric: true },
    ],
    rows: numbers.map(({ metric, before, after, changePercent }) => [
      { code: metric },
      metricValue(metric, before),
      metricValue(metric, after),
      change(changePercent),
    ]),
  };
}
