/** What the experiment is for in its author's words, and the facts that name it. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Environment, Moments, Report } from "@pretrain/proto";
import { bytes, counted, duration, fixed, moment } from "../figures.ts";
import type { Phrases } from "../language/phrases.ts";
import type { Cell, Section } from "../record-document.ts";
import { wordsBlock } from "../words-block.ts";

/** The five fields that a person fills in; an empty one is shown as such. */
export function goalSection({ recipe, origin }: Report, words: Phrases): Section {
  const { goal, author } = words.intent;
  const intent = recipe?.intent;
  const base = intent?.basedOn || origin?.imported?.source || origin?.checkpoint;
  const hypotheses = (recipe?.hypotheses ?? []).map(({ statement }) => statement);
  return {
    id: "goal",
    title: goal.title,
    origin: "given",
    source: author,
    blocks: [
      { kind: "facts", rows: [[goal.basedOn, base ? { code: base } : goal.entirelyNew]] },
      wordsBlock(goal.purpose, intent?.purpose, words),
      wordsBlock(goal.hypotheses, hypotheses.join("\n"), words),
      wordsBlock(goal.expectedResult, intent?.expectedResult, words),
      wordsBlock(goal.focus, intent?.focus, words),
    ],
  };
}

export function basicsSection(report: Report, words: Phrases): Section {
  const { intent } = words;
  const { basics } = intent;
  const experiment = report.name.replace(/\/report$/, "");
  return {
    id: "basics",
    title: basics.title,
    origin: "measured",
    source: basics.source,
    blocks: [
      {
        kind: "facts",
        rows: [
          [basics.number, { code: experiment }],
          [basics.created, moment(report.moments?.created)],
          [basics.sealed, sealedText(report.moments, basics)],
          [basics.recipe, codeOr(report.recipeSha256)],
          [basics.folder, { code: `${experiment}/` }],
          [basics.environment, environmentLine(report.environment)],
          [basics.parameters, parametersText(report.training?.parameters ?? 0n, words)],
          [basics.targets, counted(report.recipe?.targets.length ?? 0)],
        ],
      },
    ],
  };
}

/** The recipe is sealed by the event that creates the experiment. */
function sealedText(moments: Moments | undefined, { beforeFirstStep }: Phrases["intent"]["basics"]): string {
  const { created, trainingStarted } = moments ?? {};
  if (created === undefined || trainingStarted === undefined) return moment(created);
  return beforeFirstStep(moment(created), duration((timestampMs(trainingStarted) - timestampMs(created)) / 1000));
}

function codeOr(text: string): Cell {
  return text === "" ? "–" : { code: text };
}

/** `CPU · AMD EPYC 7B13 · 24.00 GB · float32 · TensorFlow 2.21.0`: what names a machine in one line. */
function environmentLine(environment: Environment | undefined): string {
  if (environment === undefined) return "–";
  const { device, cpu, memoryBytes, precision, tensorflow } = environment;
  const software = tensorflow === "" ? "" : `TensorFlow ${tensorflow}`;
  return [device, cpu, memoryBytes > 0n ? bytes(memoryBytes) : "", precision, software].filter(Boolean).join(" · ");
}

/** `25.83 M (25,829,888)`. */
export function parametersText(parameters: bigint, { configuration }: Phrases): string {
  if (parameters <= 0n) return "–";
  return configuration.millions(fixed(Number(parameters) / 1e6, 2), counted(parameters));
}
