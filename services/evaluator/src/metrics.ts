/** What Prometheus learns of evaluations. */
import type { Metrics } from "@pretrain/observability";
import { Canary_Outcome, Evaluation_State as State } from "@pretrain/proto";
import { evaluationOf } from "./evaluation/lifecycle.ts";
import type { StoredEvaluation } from "./stores/evaluation-records.ts";

const states = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "FAILED_CERTIFICATION"] as const;

export interface EvaluationMetrics {
  /** Told each time all records were read: they also know what other processes have measured. */
  readonly onSwept: (found: readonly StoredEvaluation[]) => void;
  /** Told of each canary that failed where no record says so. */
  readonly onCanaryFailed: (canary: string) => void;
}

export function evaluationMetrics(metrics: Metrics): EvaluationMetrics {
  const evaluations = metrics.gauge("pretrain_evaluations", "Evaluations by their state.", ["state"]);
  const help = "Canaries that failed: a number was withheld each time.";
  const failures = metrics.counter("pretrain_eval_canary_failures_total", help, ["canary"]);
  const counted = new Set<string>();
  return {
    onSwept: (found) => {
      for (const state of states) {
        const count = found.filter(({ value }) => evaluationOf(value).state === State[state]).length;
        evaluations(count, { state });
      }
      for (const { key, value } of found) {
        const canaries = failedCanaries(value);
        if (canaries.length === 0 || counted.has(key)) continue;
        counted.add(key);
        for (const canary of canaries) failures({ canary });
      }
    },
    onCanaryFailed: (canary) => failures({ canary }),
  };
}

function failedCanaries(record: StoredEvaluation["value"]): string[] {
  const { certificate } = evaluationOf(record);
  const failed = certificate?.canaries.filter(({ outcome }) => outcome === Canary_Outcome.FAILED) ?? [];
  return failed.map(({ name }) => name);
}
