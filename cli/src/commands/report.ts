/** `report`: the record of an experiment as a document, or with everything that it follows from as a folder. */
import { toJsonString } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { RenderReportRequest_Format, ReportSchema, ReportService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { type Command, Option } from "commander";
import { writeBundle } from "../record/write-bundle.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import { byteSize } from "../terminal/figures.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { writeWholeFile } from "../written-file.ts";
import { defineCommand } from "./define-command.ts";

export const documentFormats = {
  md: RenderReportRequest_Format.MARKDOWN,
  html: RenderReportRequest_Format.HTML,
} as const;

interface ReportOptions extends AnswerOptions, ServiceOptions<"report"> {
  readonly format?: keyof typeof documentFormats | "json";
  readonly language: "en" | "zh";
  readonly to?: string;
  readonly bundle?: string;
}

type Reports = PretrainClient<typeof ReportService>;

export function addReportCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "report <experiment>",
    description: "write the record of an experiment as it stands now",
    calls: ["report"],
    example: "report 1.4.0 --language zh --format html --to record.html",
  })
    .addOption(new Option("--format <format>", "md if not given").choices(["md", "html", "json"]))
    .addOption(new Option("--language <language>", "of the document").choices(["en", "zh"]).default("en"))
    .option("--to <file>", "in place of the standard output; it appears whole, or not at all")
    .option("--bundle <folder>", "the final record with all that it follows from, for pretrain verify elsewhere")
    .action((experiment: string, options: ReportOptions) => report(experiment, options, terminal));
}

/** A page with many samples and checkpoints has megabytes. */
const maximumResponseBytes = 64 * 2 ** 20;
const patienceMs = 120_000;

async function report(experiment: string, options: ReportOptions, terminal: Terminal): Promise<void> {
  using reports = connect(ReportService, "report", options, { maximumResponseBytes });
  const name = `${experimentNamed(experiment)}/report`;
  if (options.bundle !== undefined)
    return await bundle(reports, name, { ...options, bundle: options.bundle }, terminal);
  const document = await documentOf(reports, name, options);
  if (options.to === undefined) terminal.stdout.write(document);
  else await writeWholeFile(options.to, document);
}

async function documentOf(reports: Reports, name: string, options: ReportOptions): Promise<string> {
  const { json = false, format = json ? "json" : "md", language } = options;
  if (json && format !== "json") {
    const description = `the document is ${format}; give --json or --format, not both`;
    throw new InvalidArgument([{ field: "--json", description }]);
  }
  if (format === "json") {
    const found = await reports.getReport({ name }, { timeoutMs: patienceMs });
    return `${toJsonString(ReportSchema, found, json ? {} : { prettySpaces: 2 })}\n`;
  }
  const request = { name, format: documentFormats[format], language };
  return (await reports.renderReport(request, { timeoutMs: patienceMs })).document;
}

async function bundle(
  reports: Reports,
  name: string,
  { bundle: folder, json = false }: ReportOptions & { readonly bundle: string },
  { stdout }: Terminal,
): Promise<void> {
  const files = await writeBundle(folder, reports.exportBundle({ name }));
  if (json) stdout.write(`${JSON.stringify({ folder, files })}\n`);
  else
    stdout.write(
      `${folder}: "pretrain verify ${folder}" checks it, also on another machine\n${table([
        ["file", "size", "SHA-256"],
        ...files.map(({ file, sizeBytes, sha256 }) => [file, byteSize(sizeBytes), sha256]),
      ])}\n`,
    );
}
