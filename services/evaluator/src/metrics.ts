/** What Prometheus learns of evaluations. */
import type { Metrics } from "@pretrain/observability";
import { Evaluation_State as State } from "@pretrain/proto";
import { evaluationOf } from "./evaluation/lifecycle.ts";
import type { StoredEvaluation } from "./stores/evaluation-records.ts";

const states = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED"] as const;

/** Returns what is to be told each time all records were read. */
export function evaluationMetrics(metrics: Metrics): (found: readonly StoredEvaluation[]) => void {
  const evaluations = metrics.gauge("pretrain_evaluations", "Evaluations by their state.", ["state"]);
  return (found) => {
    for (const state of states) {
      const count = found.filter(({ value }) => evaluationOf(value).state === State[state]).length;
      evaluations(count, { state });
    }
  };
}
