/** An experiment as one event file of TensorBoard: all curves, the settings, texts. Its times are the run's own, its bytes the same again. */
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { LogLine_LevelSchema as Levels, type Report, type Sample, Experiment_State as State } from "@pretrain/proto";
import { EventEncoder, framed } from "@pretrain/tensorboard";
import type { ExperimentSource } from "./experiment-source.ts";
import { scalarsOf } from "./metric-values.ts";
import { type OutputFile, type WrittenFile, writeFileInPieces } from "./output-file.ts";
import { settingsOf } from "./settings-of.ts";

/** TensorBoard shows every file of a folder whose name has this form, by the order of the names; the host's name is left out. */
function fileName({ id, report }: ExperimentSource): string {
  return `events.out.tfevents.${Math.floor(secondsOf(report.moments?.created))}.pretrain.${id}`;
}

export async function writeTensorboardFiles(source: ExperimentSource, folder: string): Promise<WrittenFile[]> {
  return [await writeFileInPieces(folder, fileName(source), (file) => writeEvents(source, file))];
}

async function writeEvents(source: ExperimentSource, file: OutputFile): Promise<number> {
  const encoder = new EventEncoder();
  let records = 0;
  const append = (record: Uint8Array) => {
    records += 1;
    return file.append(framed(record));
  };
  for (const record of beginning(encoder, source)) await append(record);
  for await (const row of source.microSteps()) {
    const moment = { wallTime: row.timeMs / 1000, step: row.microStep };
    const values = [...scalarsOf(row)];
    if (values.length > 0) await append(encoder.scalars(moment, values));
  }
  for (const record of ending(encoder, source.report)) await append(record);
  return records;
}

function* beginning(encoder: EventEncoder, { id, report }: ExperimentSource): Generator<Uint8Array> {
  const created = secondsOf(report.moments?.created);
  yield encoder.fileBegins(created);
  yield encoder.runBegins(created, settingsOf(report.recipe), id);
  const { purpose } = report.recipe?.intent ?? {};
  if (purpose) yield encoder.text({ wallTime: created, step: 0n }, "purpose", purpose);
}

function* ending(encoder: EventEncoder, { evaluations, log, moments, execution }: Report): Generator<Uint8Array> {
  for (const { endTime, microStep, samples } of evaluations) {
    const moment = { wallTime: secondsOf(endTime), step: microStep };
    for (const sample of samples) yield encoder.text(moment, `samples/${sample.rowId}`, sampleText(sample));
  }
  for (const { time, level, message, microStep } of log) {
    const moment = { wallTime: secondsOf(time), step: microStep };
    yield encoder.text(moment, "log", codeBlock(`${Levels.value[level]?.localName} ${message}`));
  }
  yield encoder.runEnds(secondsOf(moments?.ended ?? moments?.trainingEnded), statusOf(execution?.state));
}

function sampleText({ inputText, predictedText, trueText }: Sample): string {
  const parts = { given: inputText, generated: predictedText, "really follows": trueText };
  return Object.entries(parts)
    .map(([title, text]) => `**${title}**\n\n${codeBlock(text)}`)
    .join("\n\n");
}

/** Indented, so that whatever the text holds is shown as it stands and no markup of it works. */
function codeBlock(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}

function statusOf(state: State | undefined): "succeeded" | "failed" | "running" | "unknown" {
  if (state === State.COMPLETED) return "succeeded";
  if (state === State.FAILED || state === State.CANCELLED) return "failed";
  return state === undefined ? "unknown" : "running";
}

function secondsOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : timestampMs(time) / 1000;
}
