/** The rehearsal: one small experiment from its text to its record, shown as it goes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FailedPrecondition, PretrainError } from "@pretrain/errors";
import { ReportService, TrainerService } from "@pretrain/proto";
import { experimentName, parseExperimentFile } from "@pretrain/recipe";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import { allTargetsMet, finalReport } from "../following/wait-for-experiment.ts";
import { watchExperiment } from "../following/watch-experiment.ts";
import { indicatorTable } from "../indicator-table.ts";
import type { LocalSystem } from "../local-system/local-system.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { writeMobyDick } from "./moby-dick.ts";

export interface Rehearsal {
  readonly system: LocalSystem;
  readonly dataRoot: string;
  readonly recipeFile: string;
  readonly terminal: Terminal;
}

const recordLimitMs = 10 * 60_000;

/** @throws FailedPrecondition when the experiment does not complete, or its record does not. */
export async function runRehearsal(rehearsal: Rehearsal): Promise<{ allTargetsMet: boolean }> {
  const { system, dataRoot, recipeFile, terminal } = rehearsal;
  await writeMobyDick(join(dataRoot, "moby-dick.jsonl"));
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  using reports = connectClient(ReportService, system.addresses.report);
  const file = parseExperimentFile(await readFile(recipeFile, "utf8"), recipeFile);
  const experimentId = await nextFreeId(trainer, file.experimentId);
  const { name } = await trainer.startExperiment({ ...file, experimentId });
  terminal.stdout.write(`${name}: watch it at ${system.pageUrl}\n`);
  const ended = await watchExperiment({ trainer, reports, name, terminal, json: false, interval: 100 });
  if (ended === undefined) return { allTargetsMet: false }; // Ctrl-C: nobody waits for this any more
  const report = await finalReport(reports, name, AbortSignal.timeout(recordLimitMs));
  if (report === undefined) throw stillOpen(name);
  terminal.stdout.write(`\n${indicatorTable(report.indicators)}\n\nrecord     ${recordPath(system, name)}\n`);
  return { allTargetsMet: allTargetsMet(report) };
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

/** The last evaluation comes some seconds after the last step. */
function stillOpen(name: string): FailedPrecondition {
  const message = `${name}/report is not final ${recordLimitMs / 60_000} minutes after training ended; see the evaluator's log`;
  return new FailedPrecondition("RECORD_OPEN", message, { name });
}

function recordPath(system: LocalSystem, experiment: string): string {
  return join(fileURLToPath(system.blobsUrl), experiment, "report", "report.html");
}
