/** `verify`: whether every number of a record follows from its events, asked of the service, or of a bundle without any service. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromJsonString } from "@bufbuild/protobuf";
import { DataLoss, InvalidArgument, NotFound } from "@pretrain/errors";
import { ReportService, type Verification, VerificationSchema } from "@pretrain/proto";
import type { Command } from "commander";
import { moduleOf } from "../local-system/services.ts";
import { verificationText } from "../record/verification-text.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";

interface VerifyOptions extends AnswerOptions, ServiceOptions<"report"> {
  readonly checkpoints?: boolean;
}

export function addVerifyCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "verify <what>",
    description:
      "compute a record again, an experiment's or that of a bundle's folder, and name every difference; exit code 1 if there is one",
    calls: ["report"],
    example: "verify 1.4.0 --checkpoints\n  pretrain verify ./1.4.0-bundle",
  })
    .option("--checkpoints", "read every checkpoint that is there, too, and compare its digests")
    .action(async (what: string, options: VerifyOptions) => {
      const found = isBundle(what) ? await verifyBundle(what, options) : await verifyExperiment(what, options);
      answer(terminal, options, VerificationSchema, found, verificationText);
      if (!found.sound) terminal.exitCode = exitCodes.failed;
    });
}

/** As long as all events and, where asked, all checkpoints of a long run take. */
const patienceMs = 60 * 60_000;

async function verifyExperiment(experiment: string, options: VerifyOptions): Promise<Verification> {
  using reports = connect(ReportService, "report", options, { maximumResponseBytes: 64 * 2 ** 20 });
  const name = `${experimentNamed(experiment)}/report`;
  return await reports.verifyReport(
    { name, checkCheckpoints: options.checkpoints === true },
    { timeoutMs: patienceMs },
  );
}

/** A path, or a folder that has a record in it. */
function isBundle(what: string): boolean {
  if (what.startsWith("experiments/")) return false;
  return /^[./~]|\/$/.test(what) || existsSync(join(what, "report.json"));
}

/** The report service's own code, in a process of its own: this one knows contracts and not what numbers are computed from. */
async function verifyBundle(folder: string, { checkpoints }: VerifyOptions): Promise<Verification> {
  if (checkpoints) {
    const description = "a bundle has no checkpoints; they are read where the experiment's name is given";
    throw new InvalidArgument([{ field: "--checkpoints", description }]);
  }
  if (!existsSync(folder)) throw new NotFound("BUNDLE_NOT_FOUND", `there is no folder ${folder}`, { folder });
  const program = fileURLToPath(new URL("verification/verify-bundle-main.ts", moduleOf("report")));
  const { stdout, stderr } = await outputOf([program, resolve(folder)]);
  if (stdout.trim() !== "") return fromJsonString(VerificationSchema, stdout);
  throw new DataLoss("BUNDLE_UNREADABLE", stderr.trim().slice(-2000) || `${folder} is no bundle`, { folder });
}

/** Of a program of Node, however it ends. */
async function outputOf(words: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const environment = { env: { PATH: process.env["PATH"] }, maxBuffer: 64 * 2 ** 20 };
  try {
    return await promisify(execFile)(process.execPath, words, environment);
  } catch (error) {
    if (error instanceof Error && "stdout" in error && "stderr" in error)
      return { stdout: String(error.stdout), stderr: String(error.stderr) };
    throw error;
  }
}
