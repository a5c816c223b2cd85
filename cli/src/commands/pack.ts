/** `pack`: a text made into a dataset, followed to its end. */
import { setTimeout as delay } from "node:timers/promises";
import { FailedPrecondition } from "@pretrain/errors";
import {
  DataShardService,
  type Dataset,
  Dataset_State,
  type DatasetReport,
  DatasetReportSchema,
  DatasetSchema,
  Split,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { type Command, Option } from "commander";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { byteSize } from "../terminal/figures.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { wholeNumber } from "./numbers.ts";

interface PackOptions extends AnswerOptions, ServiceOptions<"dataShard"> {
  readonly format: string;
  readonly validation: string;
  readonly validationEvery: number;
  readonly tokenizer: string;
  readonly vocabularySize: number;
  readonly maxSequenceLength: number;
  readonly cut: string;
  readonly minimumRowCharacters: number;
  readonly wait: boolean;
}

export function addPackCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "pack <path>",
    description:
      "make a dataset of a text that lies in a data root; the same text with the same settings is packed once",
    calls: ["dataShard"],
    example: "pack moby-dick.jsonl --vocabulary-size 1024 --max-sequence-length 256 --validation-every 20",
  })
    .addOption(new Option("--format <format>", "of the text").choices(["jsonl", "text"]).default("jsonl"))
    .option("--validation <path>", "file with the validation text", "")
    .option("--validation-every <n>", "without such a file: one row of so many is for validation", wholeNumber(0), 0)
    .option("--tokenizer <path>", "a tokenizer.json; without one it is trained on the text", "")
    .option("--vocabulary-size <entries>", "of the tokenizer that is trained", wholeNumber(0), 6400)
    .option("--max-sequence-length <tokens>", "longer rows are cut", wholeNumber(2), 512)
    .addOption(
      new Option("--cut <rule>", "whether a row that is cut keeps its end marker")
        .choices(["after_wrap", "keep_eos"])
        .default("after_wrap"),
    )
    .option("--minimum-row-characters <count>", "of --format text: join paragraphs up to so many", wholeNumber(0), 0)
    .option("--no-wait", "answer when it is accepted")
    .action((path: string, options: PackOptions) => pack(path, options, terminal));
}

async function pack(path: string, options: PackOptions, terminal: Terminal): Promise<void> {
  using datasets = connect(DataShardService, "dataShard", options);
  const { format, validationEvery, maxSequenceLength, cut, minimumRowCharacters, tokenizer } = options;
  const asked = await datasets.packDataset({
    settings: {
      path,
      format,
      validationPath: options.validation,
      validationEvery,
      tokenizerPath: tokenizer,
      trainVocabularySize: tokenizer === "" ? options.vocabularySize : 0,
      maxSequenceLength,
      cut,
      minimumRowCharacters,
    },
  });
  const dataset = options.wait ? await packed(datasets, asked, terminal) : asked;
  if (dataset.state !== Dataset_State.READY) {
    const size = byteSize(Number(dataset.bytesRead));
    return answer(terminal, options, DatasetSchema, dataset, ({ name }) => `${name}: ${size} read so far`);
  }
  const report = await datasets.getDatasetReport({ name: dataset.name });
  answer(terminal, options, DatasetReportSchema, report, reportText);
}

const pauseMs = 300;

/** The dataset when it is READY, or as it is when Ctrl-C ends the waiting. @throws FailedPrecondition with what made it fail */
async function packed(
  datasets: Pick<PretrainClient<typeof DataShardService>, "getDataset">,
  asked: Dataset,
  terminal: Terminal,
): Promise<Dataset> {
  const { stderr } = terminal;
  const signal = terminal.interruption();
  let dataset = asked;
  while (dataset.state === Dataset_State.PENDING || dataset.state === Dataset_State.PACKING) {
    if (stderr.isTTY === true) stderr.write(`\r${dataset.name}: ${byteSize(Number(dataset.bytesRead))} read\u001b[K`);
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      stderr.write(`stopped waiting; ${asked.name} goes on\n`);
      terminal.exitCode = exitCodes.interrupted;
      return dataset;
    }
    dataset = await datasets.getDataset({ name: asked.name });
  }
  if (stderr.isTTY === true) stderr.write("\r\u001b[K");
  if (dataset.state !== Dataset_State.FAILED) return dataset;
  throw new FailedPrecondition("PACKING_FAILED", `${dataset.name}: ${dataset.error}`, { name: dataset.name });
}

const splitNames: Readonly<Partial<Record<Split, string>>> = {
  [Split.TRAIN]: "training",
  [Split.VALIDATION]: "validation",
};

function reportText(report: DatasetReport): string {
  const splits = report.splits.map(({ split, rows, tokens, rowsCut, tokensLost, paddingShare }) => [
    splitNames[split] ?? "",
    ...[rows, tokens, rowsCut, tokensLost].map((count) => count.toLocaleString("en-US")),
    `${(paddingShare * 100).toFixed(1)} %`,
  ]);
  const faults = [...report.rejected, ...report.warnings].map(({ reason, rows, firstLines }) => [
    reason,
    `${rows} rows`,
    `lines ${firstLines.join(", ")}`,
  ]);
  return [
    `${report.dataset}: ${report.rowsRead} rows of ${report.sourceName}, ${report.vocabularySize} entries in the tokenizer`,
    table([["split", "rows", "tokens", "rows cut", "tokens lost", "padding"], ...splits]),
    ...(faults.length === 0 ? [] : [table(faults)]),
  ].join("\n\n");
}
