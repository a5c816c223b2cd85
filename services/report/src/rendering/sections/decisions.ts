/** What was decided and what was weighed, before the run. */
import type { Intent, Recipe } from "@pretrain/proto";
import type { Phrases } from "../language/phrases.ts";
import { type Block, type Cell, orNone, type Section } from "../record-document.ts";

export function decisionsSection(recipe: Recipe | undefined, { intent, document }: Phrases): Section {
  const decisions = recipe?.intent?.decisions ?? [];
  return {
    id: "decisions",
    title: intent.decisions.title,
    origin: "given",
    source: intent.author,
    blocks: orNone([decisionTable(decisions, intent.decisions)], decisions.length === 0, document.none),
  };
}

function decisionTable(decisions: Intent["decisions"], words: Phrases["intent"]["decisions"]): Block {
  return {
    kind: "table",
    columns: [{ title: words.decision }, { title: words.options }, { title: words.choice }, { title: words.reason }],
    rows: decisions.map(({ subject, options, choice, reason }): Cell[] => [
      { words: subject },
      { words: options.join(" / ") },
      { words: choice },
      { words: reason },
    ]),
  };
}

export function tradeOffsSection(recipe: Recipe | undefined, { intent, document }: Phrases): Section {
  const tradeOffs = recipe?.intent?.tradeOffs ?? [];
  const table: Block = {
    kind: "table",
    columns: [{ title: intent.tradeOffs.between }, { title: intent.tradeOffs.balance }],
    rows: tradeOffs.map(({ between, balance }): Cell[] => [{ words: between }, { words: balance }]),
  };
  return {
    id: "trade-offs",
    title: intent.tradeOffs.title,
    origin: "given",
    source: intent.author,
    blocks: orNone([table], tradeOffs.length === 0, document.none),
  };
}
