/** `up` and `rehearse`: the whole system on this machine, without or with the rehearsal. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import { wellKnownPorts } from "../local-system/addresses.ts";
import { startLocalSystem } from "../local-system/local-system.ts";
import { checkoutRoot, stateDirectory } from "../places.ts";
import { describeSystem } from "../rehearsal/describe-system.ts";
import { runRehearsal } from "../rehearsal/run-rehearsal.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function addSystemCommands(program: Command, terminal: Terminal): void {
  program
    .command("up")
    .description("start the broker and the four services on this machine and keep serving until Ctrl-C")
    .option("--data-root <folder...>", "folders that recipes may name files in", [join(stateDirectory, "data")])
    .option(
      "--secured",
      "ask everybody who calls: certificates, rights and an operator's key are made if they are not there",
    )
    .addOption(new Option("--json", "say where everything is as one JSON object"))
    .addHelpText("after", "\nExample:\n  pretrain up --data-root ~/texts")
    .action((options: UpOptions) => up(options, terminal));
  program
    .command("rehearse")
    .description("start the system, train a small model on Moby-Dick, show its record, and keep serving")
    .option("--once", "stop when the record is written; the exit code is 0 only if every target was met")
    .addHelpText("after", "\nExample:\n  pretrain rehearse --once")
    .action((options: { once?: boolean }) => rehearse(options, terminal));
}

interface UpOptions extends AnswerOptions {
  readonly dataRoot: readonly string[];
  readonly secured?: boolean;
}

async function up(
  { dataRoot: dataRoots, secured = false, json = false }: UpOptions,
  terminal: Terminal,
): Promise<void> {
  const stop = aborted(terminal.interruption());
  await using system = await startLocalSystem({ stateDirectory, dataRoots, secured, ports: wellKnownPorts });
  const { addresses, natsUrl, pageUrl, blobsUrl, identities } = system;
  if (json) terminal.stdout.write(`${JSON.stringify({ addresses, natsUrl, pageUrl, blobsUrl, identities })}\n`);
  else terminal.stdout.write(`${describeSystem(system)}\n\nServing until Ctrl-C.\n`);
  await Promise.race([stop, system.failed]);
}

async function rehearse({ once = false }: { once?: boolean }, terminal: Terminal): Promise<void> {
  const stop = aborted(terminal.interruption());
  const dataRoot = join(stateDirectory, "data");
  await using system = await startLocalSystem({ stateDirectory, dataRoots: [dataRoot], ports: wellKnownPorts });
  const recipeFile = join(checkoutRoot, "recipes", "rehearsal.yaml");
  const rehearsal = runRehearsal({ system, dataRoot, recipeFile, terminal });
  const ended = await Promise.race([rehearsal, system.failed, stop]);
  if (ended === "stop") {
    terminal.exitCode = exitCodes.interrupted;
    return;
  }
  if (!ended.allTargetsMet) terminal.exitCode = exitCodes.failed;
  if (once) return;
  terminal.stdout.write(`${describeSystem(system)}\n\nServing until Ctrl-C.\n`);
  await Promise.race([stop, system.failed]);
}

/** Waiting for it keeps no process alive that has nothing else to do. */
function aborted(signal: AbortSignal): Promise<"stop"> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("stop"), { once: true }));
}
