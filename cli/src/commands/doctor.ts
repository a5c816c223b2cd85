/** `doctor`: what the machine has, what answers on it, and whether the code that scores and generates proves itself here. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fromJsonString } from "@bufbuild/protobuf";
import { type Certificate, CertificateSchema, EvaluatorService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import type { Command } from "commander";
import { canaryTable, holds } from "../canary-table.ts";
import { moduleOf, serviceNames } from "../local-system/services.ts";
import { acceptsConnections, healthOf, machineFacts } from "../machine.ts";
import { stateDirectory } from "../places.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options {
  readonly evaluator: string;
  readonly checkpoint?: string;
}

export function addDoctorCommand(program: Command, _terminal: Terminal): void {
  program
    .command("doctor")
    .description(
      "show the machine and what runs on it, and let the code that scores prove itself; exit code 1 if it cannot",
    )
    .option("--evaluator <host:port>", "address of the evaluator service", "127.0.0.1:7403")
    .option(
      "--checkpoint <name>",
      "experiments/<id>/checkpoints/<step> whose weights and shapes are examined; the evaluator must run",
    )
    .action(async (options: Options) => {
      const certificate = await examined(options);
      process.stdout.write(`${canaryTable(certificate)}\n`);
      if (!holds(certificate)) process.exitCode = 1;
    });
}

async function examined({ evaluator, checkpoint }: Options): Promise<Certificate> {
  process.stdout.write(`${table(await machineFacts(stateDirectory))}\n\n${table(await answering())}\n\n`);
  const isServing = (await acceptsConnections(evaluator)) === "takes connections";
  if (!isServing && checkpoint === undefined) {
    process.stdout.write("canaries, with a small model in a process of this command:\n");
    return await examinedHere();
  }
  const subject = checkpoint ?? "a small model";
  process.stdout.write(`canaries, with ${subject} in the evaluator at ${evaluator}:\n`);
  using client = connectClient(EvaluatorService, evaluator);
  return await client.selfTest({ checkpoint: checkpoint ?? "" });
}

/** The services and the broker at their well-known addresses. */
async function answering(): Promise<string[][]> {
  const health = ["127.0.0.1:7411", "127.0.0.1:7412", "127.0.0.1:7413", "127.0.0.1:7400"];
  const services = serviceNames.map(async (name, index) => {
    const address = health[index] ?? "";
    return [name, address, await healthOf(address)];
  });
  const broker = ["broker", "127.0.0.1:4222", await acceptsConnections("127.0.0.1:4222")];
  return [...(await Promise.all(services)), broker];
}

async function examinedHere(): Promise<Certificate> {
  const program = new URL("worker/self-test-main.ts", moduleOf("evaluator"));
  const { stdout } = await promisify(execFile)(process.execPath, [program.pathname], {
    env: { PATH: process.env["PATH"] },
  });
  return fromJsonString(CertificateSchema, stdout);
}
