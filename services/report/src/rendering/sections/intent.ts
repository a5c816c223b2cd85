/** The person's part: what the experiment is for, what is expected, what was decided and why. Word for word. */
import type { Intent, Recipe, Report } from "@pretrain/proto";
import { type Block, orNone, type Section } from "../record-document.ts";

const author = "by the author, in the recipe, before the run";

/** The five fields that a person fills in; an empty one is shown as such. */
export function goalSection({ recipe, origin }: Report): Section {
  const intent = recipe?.intent;
  const base = intent?.basedOn || origin?.imported?.source || origin?.checkpoint;
  const hypotheses = (recipe?.hypotheses ?? []).map(({ statement }) => statement);
  return {
    id: "goal",
    title: "Goal",
    origin: "given",
    source: author,
    blocks: [
      {
        kind: "facts",
        rows: [["Based on", base ? { code: base } : "none: an entirely new experiment"]],
      },
      words("Purpose", intent?.purpose),
      words("Hypotheses", hypotheses.join("\n")),
      words("Expected result", intent?.expectedResult),
      words("Focus", intent?.focus),
    ],
  };
}

const designFields = [
  ["Problem", "problem"],
  ["Challenge", "challenge"],
  ["Approach", "approach"],
  ["Why this architecture", "architectureReason"],
  ["Why these hyper-parameters", "hyperparameterReason"],
  ["Why this data", "dataReason"],
  ["Expected performance", "expectedPerformance"],
  ["Expected resources", "expectedResources"],
  ["Risks", "risks"],
] as const satisfies readonly (readonly [string, keyof Intent])[];

/** What its author thought; only what was written. */
export function designSection(recipe: Recipe | undefined): Section {
  const blocks = designFields.flatMap(([label, field]) => {
    const text = recipe?.intent?.[field] ?? "";
    return text === "" ? [] : [words(label, text)];
  });
  return {
    id: "design",
    title: "Design",
    origin: "given",
    source: author,
    blocks: orNone(blocks, blocks.length === 0),
  };
}

export function decisionsSection(recipe: Recipe | undefined): Section {
  const { decisions = [], tradeOffs = [] } = recipe?.intent ?? {};
  return {
    id: "decisions",
    title: "Decisions and trade-offs",
    origin: "given",
    source: author,
    blocks: [
      { kind: "heading", text: "Decisions" },
      ...orNone([decisionTable(decisions)], decisions.length === 0),
      { kind: "heading", text: "Trade-offs" },
      ...orNone([tradeOffTable(tradeOffs)], tradeOffs.length === 0),
    ],
  };
}

function decisionTable(decisions: Intent["decisions"]): Block {
  return {
    kind: "table",
    columns: [{ title: "Decision" }, { title: "Options" }, { title: "Choice" }, { title: "Reason" }],
    rows: decisions.map(({ subject, options, choice, reason }) => [subject, options.join(" / "), choice, reason]),
  };
}

function tradeOffTable(tradeOffs: Intent["tradeOffs"]): Block {
  return {
    kind: "table",
    columns: [{ title: "Between" }, { title: "Balance" }],
    rows: tradeOffs.map(({ between, balance }) => [between, balance]),
  };
}

function words(label: string, text: string | undefined): Block {
  return { kind: "words", label, text: text || "none" };
}
