/** `doctor`: whether everything is there that the system needs, what to do where it is not, and whether the code that scores proves itself. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fromJsonString } from "@bufbuild/protobuf";
import { type Certificate, CertificateSchema, EvaluatorService, TrainerService } from "@pretrain/proto";
import type { Command } from "commander";
import { canaryTable, holds } from "../canary-table.ts";
import { answeringFindings } from "../doctor/answering.ts";
import { credentialFindings } from "../doctor/credentials.ts";
import { type Finding, findingsText } from "../doctor/finding.ts";
import { machineFindings } from "../doctor/machine.ts";
import { setUpFindings, thisSetUp } from "../doctor/set-up.ts";
import { moduleOf } from "../local-system/services.ts";
import { checkoutRoot, stateDirectory } from "../places.ts";
import { checkpointNamed } from "../resource-names.ts";
import { type CalledService, calledServices, connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";

type DoctorOptions = AnswerOptions & ServiceOptions<CalledService> & { readonly checkpoint?: string };

export function addDoctorCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "doctor",
    description:
      "check all that the system needs, say what to do where something is missing, and let the code that scores prove itself; exit code 1 if anything fails",
    calls: calledServices,
    example: "doctor --checkpoint 1.4.0/40",
  })
    .option("--checkpoint <checkpoint>", "whose weights and shapes are examined; the evaluator must run")
    .action((options: DoctorOptions) => examine(options, terminal));
}

async function examine(options: DoctorOptions, terminal: Terminal): Promise<void> {
  const findings = [
    ...(await setUpFindings(thisSetUp(checkoutRoot))),
    ...(await machineFindings(stateDirectory)),
    ...(await answeringFindings(options)),
    ...(await credentialFindings(options, Date.now())),
  ];
  tell(findings, options, terminal);
  const certificate = await certificateOf(findings, options, terminal);
  answer(terminal, options, CertificateSchema, certificate, canaryTable);
  const isWell = holds(certificate) && !findings.some(({ outcome }) => outcome === "failed");
  if (!isWell) terminal.exitCode = exitCodes.failed;
}

function tell(findings: readonly Finding[], { json = false }: DoctorOptions, { stdout }: Terminal): void {
  if (json) for (const finding of findings) stdout.write(`${JSON.stringify(finding)}\n`);
  else stdout.write(`${findingsText(findings)}\n\n`);
}

/** Of the evaluator that runs, or else of a process of this command. */
async function certificateOf(
  findings: readonly Finding[],
  options: DoctorOptions,
  { stdout }: Terminal,
): Promise<Certificate> {
  const { checkpoint, json = false } = options;
  const say = (text: string) => !json && stdout.write(`${text}\n`);
  const isServing = findings.some(({ what, outcome }) => what === "evaluator" && outcome === "ok");
  if (!isServing && checkpoint === undefined) {
    say("canaries, with a small model in a process of this command:");
    return await examinedHere();
  }
  using trainer = connect(TrainerService, "trainer", options);
  const name = checkpoint === undefined ? "" : await checkpointNamed(trainer, checkpoint);
  say(`canaries, with ${name || "a small model"} in the evaluator at ${options.evaluator}:`);
  using evaluator = connect(EvaluatorService, "evaluator", options);
  return await evaluator.selfTest({ checkpoint: name }, { timeoutMs: patienceMs });
}

/** As long as the canaries take with a large model. */
const patienceMs = 600_000;

async function examinedHere(): Promise<Certificate> {
  const program = new URL("worker/self-test-main.ts", moduleOf("evaluator"));
  const { stdout } = await promisify(execFile)(process.execPath, [program.pathname], {
    env: { PATH: process.env["PATH"] },
  });
  return fromJsonString(CertificateSchema, stdout);
}
