/** `export`: a checkpoint or a whole experiment as files that other programs read, in a folder of one's own. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { type CheckpointOptions, checkpointFormats, exportCheckpoint } from "./export-checkpoint.ts";
import { type ExperimentOptions, experimentFormats, exportExperiment } from "./export-experiment.ts";

type Options = (CheckpointOptions & ExperimentOptions) & {
  readonly format: keyof typeof checkpointFormats | keyof typeof experimentFormats;
};

export function addExportCommand(program: Command, terminal: Terminal): void {
  const formats = [...Object.keys(checkpointFormats), ...Object.keys(experimentFormats)];
  defineCommand(program, terminal, {
    usage: "export <what>",
    description: "write a checkpoint, proven to be the same model, or an experiment's numbers for another program",
    calls: ["trainer", "evaluator", "report"],
    example:
      "export 1.4.0/40 --format gguf --to 1-4-0-40\n  pretrain export 1.4.0 --format tensorboard --to runs/1-4-0",
  })
    .requiredOption("--to <folder>", "where to: a folder that is not there yet")
    .addOption(
      new Option("--format <format>", "a checkpoint for transformers or llama.cpp, or an experiment for the others")
        .choices(formats)
        .default("hugging-face"),
    )
    .option(
      "--pad-head-dim <n>",
      "widen each head to so many numbers, for programs that know none as narrow",
      headDim,
      0,
    )
    .action((what: string, options: Options) => exportTo(what, options, terminal));
}

async function exportTo(what: string, options: Options, terminal: Terminal): Promise<void> {
  const { format } = options;
  if (isOf(experimentFormats, format)) await exportExperiment(what, format, options, terminal);
  else await exportCheckpoint(what, format, options, terminal);
}

function isOf<Formats extends object>(formats: Formats, format: PropertyKey): format is keyof Formats {
  return Object.hasOwn(formats, format);
}

function headDim(text: string): number {
  const width = Number(text);
  if (Number.isInteger(width) && width >= 1 && width <= 1024) return width;
  throw new InvalidArgumentError("A whole number from 1 to 1024 is expected.");
}
