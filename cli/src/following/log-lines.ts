/** The log of an experiment's attempts, from the record: what is there, and what comes. */
import { setTimeout as delay } from "node:timers/promises";
import { PretrainError } from "@pretrain/errors";
import {
  type LogLine,
  LogLine_LevelSchema,
  type Report,
  Report_Completeness,
  type ReportService,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { momentOf } from "../experiment-text.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { oneLine } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** A long record takes the service a second. */
const pauseMs = 10_000;

/**
 * The lines so far; with `follow`, then what has come since, again and again, until the record is final or Ctrl-C.
 *
 * @throws what GetReport throws the first time
 */
export async function* followLog(
  reports: Pick<PretrainClient<typeof ReportService>, "getReport">,
  experiment: string,
  follow: boolean,
  terminal: Terminal,
): AsyncGenerator<LogLine[]> {
  const shown = new Set<string>();
  const unseen = ({ log }: Report) => log.filter((line) => !shown.has(identityOf(line)) && shown.add(identityOf(line)));
  const request = { name: `${experiment}/report` };
  let report = await reports.getReport(request);
  yield unseen(report);
  if (!follow) return;
  const signal = terminal.interruption();
  while (report.completeness !== Report_Completeness.FINAL && !signal.aborted) {
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    report = await reports.getReport(request).catch((error: unknown) => {
      if (error instanceof PretrainError && error.status === "UNAVAILABLE") return report; // it restarts
      throw error;
    });
    yield unseen(report);
  }
  if (signal.aborted) terminal.exitCode = exitCodes.interrupted;
}

function identityOf({ attempt, attemptNonce, number }: LogLine): string {
  return `${attempt}/${attemptNonce}/${number}`;
}

export function logText(lines: readonly LogLine[]): string {
  return lines.map(lineText).join("\n");
}

function lineText({ time, level, attempt, message }: LogLine): string {
  const word = (LogLine_LevelSchema.value[level]?.localName ?? "").toLowerCase();
  return `${momentOf(time)} ${word.padEnd(7)} attempt ${attempt}: ${oneLine(message)}`;
}
