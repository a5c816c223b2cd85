/** Every canary examined, each with its weights; of those of several shapes the worst. */
import { messageOf } from "@pretrain/errors";
import type { ScoredShape } from "@pretrain/inference-program";
import type { CanaryResult } from "../../evaluation/certificate.ts";
import type { LoadedModel } from "../load-model.ts";
import { ofBlankModel, ofLoadedModel, ofOracle } from "./canaries.ts";
import type { Canary, Examination } from "./canary.ts";
import { blankModel, oracleModel, reasonAgainstOracle } from "./known-models.ts";

/** Examines the canaries of every shape in these, and with `once` those that choose their own. One set of weights more at a time. */
export async function examined(
  model: LoadedModel,
  shapes: readonly ScoredShape[],
  once: boolean,
): Promise<CanaryResult[]> {
  const results: CanaryResult[] = [];
  const examineAll = async <Subject>(subject: Subject, canaries: readonly Canary<Subject>[]) => {
    for (const canary of canaries) {
      const asked = canary.shapes === "each" ? shapes : shapes.slice(0, once ? 1 : 0);
      for (const shape of asked) results.push(await resultOf(canary, subject, shape));
    }
  };
  {
    using blank = blankModel(model);
    await examineAll(blank, ofBlankModel);
  }
  const reason = reasonAgainstOracle(model.shape);
  if (reason === undefined) {
    using oracle = oracleModel(model);
    await examineAll(oracle, ofOracle);
  } else {
    for (const canary of ofOracle) results.push(resultFrom(canary, { notApplicable: reason }));
  }
  await examineAll(model, ofLoadedModel);
  return results;
}

/** One result for each canary: the one that is furthest from being allowed. */
export function worstOfEach(results: readonly CanaryResult[]): CanaryResult[] {
  const byName = Map.groupBy(results, ({ name }) => name);
  return [...byName.values()].map((each) => each.reduce((worst, result) => (isWorse(result, worst) ? result : worst)));
}

function isWorse(result: CanaryResult, than: CanaryResult): boolean {
  const rank = { NOT_APPLICABLE: 0, PASSED: 1, FAILED: 2 } as const;
  const difference = rank[result.outcome] - rank[than.outcome];
  return difference === 0 ? result.deviation > than.deviation : difference > 0;
}

async function resultOf<Subject>(canary: Canary<Subject>, subject: Subject, shape: ScoredShape): Promise<CanaryResult> {
  try {
    return resultFrom(canary, await canary.examine(subject, shape));
  } catch (error) {
    return resultFrom(canary, { deviation: Number.POSITIVE_INFINITY, evidence: messageOf(error) });
  }
}

function resultFrom<Subject>({ name, claim, limit, unit }: Canary<Subject>, examination: Examination): CanaryResult {
  const about = { name, claim, limit, unit };
  if ("notApplicable" in examination) {
    return { ...about, outcome: "NOT_APPLICABLE", deviation: 0, evidence: examination.notApplicable };
  }
  const { deviation, evidence } = examination;
  return { ...about, outcome: deviation <= limit ? "PASSED" : "FAILED", deviation, evidence }; // NaN fails
}
