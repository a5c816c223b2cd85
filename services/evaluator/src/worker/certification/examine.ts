/** Every canary examined, each with its weights; of those of several shapes the worst. */
import { messageOf } from "@pretrain/errors";
import type { ScoredShape } from "@pretrain/inference-program";
import type { CanaryResult } from "../../evaluation/certificate.ts";
import type { LoadedModel } from "../load-model.ts";
import { ofBlankModel, ofLoadedModel, ofOracle } from "./canaries.ts";
import type { Canary, Examination } from "./canary.ts";
import { blankModel, oracleModel, reasonAgainstOracle } from "./known-models.ts";

/** In which shapes canaries are examined: some in each, the others, if at all, in the widest. */
export interface Scope {
  readonly each: readonly ScoredShape[];
  readonly widest: ScoredShape | undefined;
}

/** One set of weights more at a time. */
export async function examined(model: LoadedModel, scope: Scope): Promise<CanaryResult[]> {
  const reason = reasonAgainstOracle(model.shape);
  return [
    ...(await examinedWith(() => blankModel(model), ofBlankModel, scope)),
    ...(reason === undefined
      ? await examinedWith(() => oracleModel(model), ofOracle, scope)
      : ofOracle.map((canary) => resultFrom(canary, { notApplicable: reason }))),
    ...(await examinedWith(() => lent(model), ofLoadedModel, scope)),
  ];
}

/** The model itself, which is not disposed of here. */
function lent(model: LoadedModel): LoadedModel {
  return { ...model, [Symbol.dispose]: () => undefined };
}

async function examinedWith<Subject extends Disposable>(
  open: () => Subject,
  canaries: readonly Canary<Subject>[],
  { each, widest }: Scope,
): Promise<CanaryResult[]> {
  const asked = canaries.flatMap((canary) => {
    const shapes = canary.shapes === "each" ? each : widest === undefined ? [] : [widest];
    return shapes.map((shape) => ({ canary, shape }));
  });
  if (asked.length === 0) return [];
  using subject = open();
  const results: CanaryResult[] = [];
  for (const { canary, shape } of asked) results.push(await resultOf(canary, subject, shape));
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
