/** `compare`: experiments side by side, the first one as the baseline. */
import { InvalidArgument } from "@pretrain/errors";
import { ExperimentComparisonSchema, ReportService } from "@pretrain/proto";
import { type Command, Option } from "commander";
import { comparisonText } from "../record/comparison-text.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { writeWholeFile } from "../written-file.ts";
import { defineCommand } from "./define-command.ts";
import { documentFormats } from "./report.ts";

interface CompareOptions extends AnswerOptions, ServiceOptions<"report"> {
  readonly format?: keyof typeof documentFormats;
  readonly language: "en" | "zh";
  readonly to?: string;
}

export function addCompareCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "compare <baseline> <candidates...>",
    description: "show what differs between experiments: recipes, numbers with intervals, and what cannot be compared",
    calls: ["report"],
    example: "compare 1.4.0 1.4.1 1.4.2",
  })
    .addOption(new Option("--format <format>", "as a document, with the samples").choices(Object.keys(documentFormats)))
    .addOption(new Option("--language <language>", "of the document").choices(["en", "zh"]).default("en"))
    .option("--to <file>", "the document, in place of the standard output")
    .action((baseline: string, candidates: string[], options: CompareOptions) =>
      compare([baseline, ...candidates], options, terminal),
    );
}

const maximumResponseBytes = 64 * 2 ** 20;
const patienceMs = 300_000;

async function compare(spellings: readonly string[], options: CompareOptions, terminal: Terminal): Promise<void> {
  const { json = false, language, to } = options;
  const format = options.format ?? (to === undefined ? undefined : "md");
  if (json && format !== undefined) {
    const description = "is about the comparison itself; leave out --format and --to";
    throw new InvalidArgument([{ field: "--json", description }]);
  }
  using reports = connect(ReportService, "report", options, { maximumResponseBytes });
  const experiments = spellings.map(experimentNamed);
  if (format === undefined) {
    const comparison = await reports.compareExperiments({ experiments }, { timeoutMs: patienceMs });
    return answer(terminal, options, ExperimentComparisonSchema, comparison, comparisonText);
  }
  const request = { experiments, format: documentFormats[format], language };
  const { document } = await reports.renderComparison(request, { timeoutMs: patienceMs });
  if (to === undefined) terminal.stdout.write(document);
  else await writeWholeFile(to, document);
}
