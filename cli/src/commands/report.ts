/** `report`: the record of an experiment, as a document on the standard output. */
import { toJsonString } from "@bufbuild/protobuf";
import { RenderReportRequest_Format, ReportSchema, ReportService } from "@pretrain/proto";
import { experimentId, experimentName } from "@pretrain/recipe";
import { connectClient } from "@pretrain/rpc";
import { type Command, Option } from "commander";

const formats = { markdown: RenderReportRequest_Format.MARKDOWN, html: RenderReportRequest_Format.HTML } as const;

export function addReportCommand(program: Command): void {
  program
    .command("report <experiment>")
    .description("write the record of an experiment to the standard output")
    .option("--report <host:port>", "address of the report service", "127.0.0.1:7404")
    .addOption(
      new Option("--format <format>", "kind of document").choices(["markdown", "html", "json"]).default("markdown"),
    )
    .action(async (id: string, options: { report: string; format: "markdown" | "html" | "json" }) => {
      using reports = connectClient(ReportService, options.report);
      const name = `${experimentName(experimentId(id))}/report`;
      process.stdout.write(
        options.format === "json"
          ? `${toJsonString(ReportSchema, await reports.getReport({ name }), { prettySpaces: 2 })}\n`
          : (await reports.renderReport({ name, format: formats[options.format] })).document,
      );
    });
}
