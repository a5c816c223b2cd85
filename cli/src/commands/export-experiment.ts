/** `export` of an experiment: every accepted micro-step and all that was measured, in the form of another program. */
import { InvalidArgument } from "@pretrain/errors";
import { ReportService } from "@pretrain/proto";
import { expectFree, fillFolder } from "../exported-folder.ts";
import { writeCsvFiles } from "../exports/csv-files.ts";
import { type ExperimentSource, experimentSource } from "../exports/experiment-source.ts";
import type { WrittenFile } from "../exports/output-file.ts";
import { writeParquetFiles } from "../exports/parquet-files.ts";
import { writeTensorboardFiles } from "../exports/tensorboard-files.ts";
import { writeWandbFiles } from "../exports/wandb-files.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** How each form is written into a folder. */
export const experimentFormats = {
  tensorboard: writeTensorboardFiles,
  csv: writeCsvFiles,
  parquet: writeParquetFiles,
  wandb: writeWandbFiles,
} as const satisfies Record<string, (source: ExperimentSource, folder: string) => Promise<WrittenFile[]>>;

export interface ExperimentOptions extends AnswerOptions, ServiceOptions<"report"> {
  readonly to: string;
}

/** A record of a long run with its samples and log; the service sends no longer one. */
const maximumReportBytes = 64 * 2 ** 20;

export async function exportExperiment(
  spelling: string,
  format: keyof typeof experimentFormats,
  options: ExperimentOptions,
  terminal: Terminal,
): Promise<void> {
  const interruption = terminal.interruption();
  await expectFree(options.to);
  using reports = connect(ReportService, "report", options, { maximumResponseBytes: maximumReportBytes });
  const experiment = experimentOf(spelling, format);
  try {
    const source = await experimentSource(reports, experiment, interruption);
    const files = await fillFolder(options.to, (folder) => experimentFormats[format](source, folder));
    tell({ experiment, format, folder: options.to, files }, options, terminal);
  } catch (error) {
    if (!interruption.aborted) throw error; // else nothing is left of the folder
    terminal.exitCode = exitCodes.interrupted;
  }
}

function experimentOf(spelling: string, format: string): string {
  if (!/^(experiments\/)?[^/]+$/.test(spelling)) {
    const found = JSON.stringify(spelling.slice(0, 100));
    const description = `${found} names no experiment: ${format} is written of a whole one, such as 1.4.0`;
    throw new InvalidArgument([{ field: "what", description }]);
  }
  return experimentNamed(spelling);
}

interface Written {
  readonly experiment: string;
  readonly format: string;
  readonly folder: string;
  readonly files: readonly WrittenFile[];
}

function tell(written: Written, { json = false }: AnswerOptions, { stdout }: Terminal): void {
  const { experiment, folder, files } = written;
  const rows = files.map(({ name, bytes, rows }) => [name, String(bytes), String(rows)]);
  const text = () => `${folder}: ${experiment}\n\n${table([["file", "bytes", "rows"], ...rows])}`;
  stdout.write(`${json ? JSON.stringify(written) : text()}\n`);
}
