/** Waiting for the end of an experiment, and of its record, without a word. */
import { setTimeout as delay } from "node:timers/promises";
import { FailedPrecondition, PretrainError } from "@pretrain/errors";
import {
  type Experiment,
  Experiment_State,
  ExperimentSchema,
  type Report,
  Report_Completeness,
  type ReportService,
  type TrainerService,
  Verdict,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { experimentText } from "../experiment-text.ts";
import { indicatorTable } from "../indicator-table.ts";
import { answer } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { duration } from "../terminal/figures.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { experimentChanges } from "./streams.ts";

export interface Wait {
  readonly trainer: Pick<PretrainClient<typeof TrainerService>, "watchExperiment">;
  readonly reports: Pick<PretrainClient<typeof ReportService>, "getReport">;
  readonly name: string;
  readonly terminal: Terminal;
  readonly json?: boolean;
  readonly record?: boolean;
  readonly exitStatus?: boolean;
  /** In seconds. */
  readonly timeout?: number;
}

/** @throws FailedPrecondition NOT_ENDED when the time is up */
export async function waitForExperiment(wait: Wait): Promise<void> {
  const { trainer, name, terminal, timeout } = wait;
  const interruption = terminal.interruption();
  const late = timeout === undefined ? undefined : AbortSignal.timeout(Math.min(timeout * 1000, 2 ** 31 - 1));
  const signal = late === undefined ? interruption : AbortSignal.any([interruption, late]);
  let last: Experiment | undefined;
  for await (const each of experimentChanges(trainer, name, { signal, onLost: () => undefined })) last = each;
  const report = wait.record === true && !signal.aborted ? await finalReport(wait.reports, name, signal) : undefined;
  if (interruption.aborted) {
    terminal.stderr.write(`stopped waiting; ${name} goes on\n`);
    terminal.exitCode = exitCodes.interrupted;
    return;
  }
  if (late?.aborted || last === undefined) {
    const what = last === undefined ? "did not answer" : experimentText(last);
    const message = `not ended within ${duration(timeout ?? 0)}: ${what}; it goes on`;
    throw new FailedPrecondition("NOT_ENDED", message, { name });
  }
  tell(wait, last, report);
}

function tell({ terminal, exitStatus, json = false }: Wait, last: Experiment, report: Report | undefined): void {
  const indicators = report === undefined ? "" : `\n${indicatorTable(report.indicators)}`;
  answer(terminal, { json }, ExperimentSchema, last, () => experimentText(last) + indicators);
  const isGood = last.state === Experiment_State.COMPLETED && (report === undefined || allTargetsMet(report));
  if (exitStatus === true && !isGood) terminal.exitCode = exitCodes.failed;
}

const bad: ReadonlySet<Verdict> = new Set([Verdict.MISSED, Verdict.UNDECIDED]);

export function allTargetsMet({ indicators }: Report): boolean {
  return !indicators.some(({ verdict }) => bad.has(verdict));
}

/** A long record takes the service a second: it is asked for in a tenth of the time at most. */
const pauseMs = 1000;

/** The record once nothing can be added to it: the last evaluation comes some seconds after the last step. Undefined when aborted. */
export async function finalReport(
  reports: Pick<PretrainClient<typeof ReportService>, "getReport">,
  experiment: string,
  signal: AbortSignal,
): Promise<Report | undefined> {
  while (!signal.aborted) {
    const askedMs = performance.now();
    const report = await reports.getReport({ name: `${experiment}/report` }).catch(notYet);
    if (report?.completeness === Report_Completeness.FINAL) return report;
    await delay(Math.max(pauseMs, 9 * (performance.now() - askedMs)), undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** The ledger does not know it yet, or is being started again. */
function notYet(error: unknown): undefined {
  if (error instanceof PretrainError && (error.status === "NOT_FOUND" || error.status === "UNAVAILABLE")) return;
  throw error;
}
