/** What may be said of a number beside the baseline's. */
import { MetricRow_Relation as Relation, type MetricRow_Value as Value } from "@pretrain/proto";
import type { Cell } from "../record-document.ts";
import type { ComparisonPhrases } from "./document-of-comparison.ts";

/** Empty for the baseline, and where a number is missing. */
export function relationCell({ relation }: Value, texts: ComparisonPhrases): Cell {
  switch (relation) {
    case Relation.BETTER:
      return { text: texts.better, tone: "good" };
    case Relation.WORSE:
      return { text: texts.worse, tone: "bad" };
    case Relation.NO_DIFFERENCE_SHOWN:
      return { text: texts.noDifference, tone: "quiet" };
    case Relation.NO_INTERVAL:
      return { text: texts.noInterval, tone: "quiet" };
    case Relation.NOT_COMPARABLE:
      return { text: texts.notComparable, tone: "open" };
    default:
      return "";
  }
}
