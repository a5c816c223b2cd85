/** An experiment as a run that Weights & Biases recorded offline: `wandb sync` sends it to a server, `wandb leet` shows it here. */
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Evaluation, LogLine_LevelSchema as Levels, Experiment_State as State } from "@pretrain/proto";
import { RunLog } from "@pretrain/wandb";
import type { ExperimentSource, MicroStep } from "./experiment-source.ts";
import { scalarsOf } from "./metric-values.ts";
import { type OutputFile, type WrittenFile, writeFileInPieces } from "./output-file.ts";
import { settingsOf } from "./settings-of.ts";

/** Where it goes unless the recipe names a project. */
const project = "pretrain";

/** The folder's name is the form by which W&B finds runs. */
export async function writeWandbFiles(source: ExperimentSource, folder: string): Promise<WrittenFile[]> {
  const run = `offline-run-${dateOf(startOf(source))}-${source.id}`;
  await mkdir(join(folder, run));
  const file = await writeFileInPieces(folder, `${run}/run-${source.id}.wandb`, (file) => writeLog(source, file));
  await using opened = await open(join(folder, run), "r");
  await opened.sync();
  return [file];
}

async function writeLog(source: ExperimentSource, file: OutputFile): Promise<number> {
  const log = new RunLog();
  const { evaluations, recipe, title } = source.report;
  const config = settingsOf(recipe);
  const about = { id: source.id, project: recipe?.monitoring?.project || project, title };
  await file.append(log.begins({ ...about, notes: recipe?.intent?.purpose ?? "", config, startMs: startOf(source) }));
  const last = new Map<string, number | string>();
  let rows = 0;
  for await (const row of source.microSteps()) {
    const values = [...scalarsOf(row), ...samplesAt(row, evaluations)];
    for (const [name, value] of values) last.set(name, value);
    await file.append(log.history(row.microStep, row.timeMs, values));
    rows += 1;
  }
  await file.append(log.summary(last));
  for (const piece of ending(log, source)) await file.append(piece);
  return rows;
}

/** What was generated from a checkpoint, at its step. */
function samplesAt({ microStep, sampled }: MicroStep, evaluations: readonly Evaluation[]): [string, string][] {
  if (sampled.size === 0) return [];
  const here = evaluations.filter((evaluation) => evaluation.microStep === microStep && evaluation.supersededBy === "");
  return here.flatMap(({ samples }) => samples.map(({ rowId, predictedText }) => [`samples/${rowId}`, predictedText]));
}

function* ending(log: RunLog, source: ExperimentSource): Generator<Uint8Array> {
  const { report } = source;
  for (const { time, level, message } of report.log)
    yield log.output(msOf(time) ?? startOf(source), `${Levels.value[level]?.localName} ${message}`);
  const endMs = msOf(report.moments?.ended);
  if (endMs !== undefined) yield log.ends(endMs, report.execution?.state === State.COMPLETED);
}

function startOf({ report }: ExperimentSource): number {
  return msOf(report.moments?.started) ?? msOf(report.moments?.created) ?? 0;
}

function msOf(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time);
}

/** 2026-05-04T03:00:00 as `20260504_030000`. */
function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_");
}
