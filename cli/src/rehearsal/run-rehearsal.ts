/** The rehearsal: one small experiment from its text to its record, shown as it goes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { FailedPrecondition, PretrainError } from "@pretrain/errors";
import { type Report, Report_Completeness, ReportService, TrainerService, Verdict } from "@pretrain/proto";
import { experimentName, parseExperimentFile } from "@pretrain/recipe";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { followExperiment } from "../follow-experiment.ts";
import { indicatorTable } from "../indicator-table.ts";
import type { LocalSystem } from "../local-system/local-system.ts";
import { writeMobyDick } from "./moby-dick.ts";

export interface Rehearsal {
  readonly system: LocalSystem;
  readonly dataRoot: string;
  readonly recipeFile: string;
}

const recordLimitMs = 10 * 60_000;

/** @throws FailedPrecondition when the experiment does not complete, or its record does not. */
export async function runRehearsal({ system, dataRoot, recipeFile }: Rehearsal): Promise<{ allTargetsMet: boolean }> {
  await writeMobyDick(join(dataRoot, "moby-dick.jsonl"));
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  using reports = connectClient(ReportService, system.addresses.report);
  const file = parseExperimentFile(await readFile(recipeFile, "utf8"), recipeFile);
  const experimentId = await nextFreeId(trainer, file.experimentId);
  const experiment = await trainer.startExperiment({ ...file, experimentId });
  process.stdout.write(`${experiment.name}: watch it at ${system.pageUrl}\n`);
  await followExperiment(trainer, experiment.name);
  const report = await finalReport(reports, `${experiment.name}/report`);
  process.stdout.write(`\n${indicatorTable(report.indicators)}\n\nrecord     ${recordPath(system, experiment.name)}\n`);
  return {
    allTargetsMet: report.indicators.every(
      ({ verdict }) => verdict !== Verdict.MISSED && verdict !== Verdict.UNDECIDED,
    ),
  };
}

/** `rehearsal-1`, `rehearsal-2`, …: each start is an experiment of its own, and none is overwritten. */
async function nextFreeId(trainer: PretrainClient<typeof TrainerService>, base: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const id = `${base}-${number}`;
    const taken = await trainer.getExperiment({ name: experimentName(id) }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof PretrainError && error.status === "NOT_FOUND") return false;
        throw error;
      },
    );
    if (!taken) return id;
  }
}

/** The record once nothing can be added to it: the last evaluation comes some seconds after the last step. */
async function finalReport(reports: PretrainClient<typeof ReportService>, name: string): Promise<Report> {
  const until = performance.now() + recordLimitMs;
  while (performance.now() < until) {
    const report = await reports.getReport({ name });
    if (report.completeness === Report_Completeness.FINAL) return report;
    await delay(500);
  }
  const message = `${name} is not final ${recordLimitMs / 60_000} minutes after training ended; see the evaluator's log`;
  throw new FailedPrecondition("RECORD_OPEN", message, { name });
}

function recordPath(system: LocalSystem, experiment: string): string {
  return join(fileURLToPath(system.blobsUrl), experiment, "report", "report.html");
}
