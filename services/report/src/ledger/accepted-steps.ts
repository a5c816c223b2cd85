/** The rule of record/accepted.ts as SQL, for queries over many steps. A test holds the two against each other. */

/**
 * A subquery of the accepted steps of `:experiment` between `:from` and `:to` (both included), as `microStep`, `attempt` and
 * `columns` of the table of steps. Ascending, because the primary key is; the `+` keeps it the one that is read along. With
 * MAX(attempt) SQLite takes the other columns from that same row.
 */
export function acceptedSteps(columns: string): string {
  return `
    WITH marks_that_count AS MATERIALIZED (SELECT attempt, nonce FROM counted WHERE experiment = :experiment),
      beginnings AS MATERIALIZED (SELECT attempt, resumed_from FROM resumptions WHERE experiment = :experiment)
    SELECT micro_step AS microStep, MAX(attempt) AS attempt, ${columns} FROM steps AS s
    WHERE experiment = :experiment AND micro_step BETWEEN :from AND :to
      AND (+s.attempt, +s.nonce) IN (SELECT attempt, nonce FROM marks_that_count)
      AND NOT EXISTS (
        SELECT 1 FROM beginnings AS later WHERE later.attempt > s.attempt AND later.resumed_from < s.micro_step)
    GROUP BY micro_step`;
}

/** `:to` for "until the end". */
export const lastMicroStep = Number.MAX_SAFE_INTEGER;
