/** Micro-steps that several attempts computed, and whether they came to the same loss. */
import type { Repetitions } from "../record/history.ts";
import type { Ledger } from "./open-ledger.ts";

/** Only micro-steps behind the earliest place that an attempt went on from are looked at: of a run without interruption none. */
export function readRepetitions({ database }: Ledger, experiment: string): Repetitions {
  const found = database
    .prepare(`
      WITH marks_that_count AS MATERIALIZED (SELECT attempt, nonce FROM counted WHERE experiment = :experiment),
        earliest AS (
          SELECT MIN(resumed_from) AS place FROM resumptions WHERE experiment = :experiment
            AND attempt > (SELECT MIN(attempt) FROM marks_that_count WHERE attempt > 0))
      SELECT COUNT(*) AS repeated, COALESCE(SUM(is_equal), 0) AS equal FROM (
        SELECT MIN(loss_nats) = MAX(loss_nats) AND MIN(loss_tokens) = MAX(loss_tokens) AS is_equal FROM steps
        WHERE experiment = :experiment AND micro_step > (SELECT place FROM earliest)
          AND (+attempt, +nonce) IN (SELECT attempt, nonce FROM marks_that_count)
        GROUP BY micro_step HAVING COUNT(*) > 1)`)
    .get({ experiment });
  return { microSteps: Number(found?.["repeated"] ?? 0), equal: Number(found?.["equal"] ?? 0) };
}
