/** `rehearse` and `serve`: the whole system on this machine, with or without the rehearsal. */
import { join } from "node:path";
import type { Command } from "commander";
import { wellKnownPorts } from "../local-system/addresses.ts";
import { startLocalSystem } from "../local-system/local-system.ts";
import { checkoutRoot, stateDirectory } from "../places.ts";
import { describeSystem } from "../rehearsal/describe-system.ts";
import { runRehearsal } from "../rehearsal/run-rehearsal.ts";
import { terminationSignal } from "../termination-signal.ts";

export function addSystemCommands(program: Command): void {
  program
    .command("rehearse")
    .description("start the system, train a small model on Moby-Dick, show its record, and keep serving")
    .option("--once", "stop when the record is written; the exit code is 0 only if every target was met")
    .action(rehearse);
  program
    .command("serve")
    .description("start the broker and the four services on this machine and keep serving")
    .option("--data-root <folder...>", "folders that recipes may name files in", [join(stateDirectory, "data")])
    .action(serve);
}

async function rehearse({ once = false }: { once?: boolean }): Promise<void> {
  const stop = terminationSignal();
  const dataRoot = join(stateDirectory, "data");
  await using system = await startLocalSystem({ stateDirectory, dataRoots: [dataRoot], ports: wellKnownPorts });
  const recipeFile = join(checkoutRoot, "recipes", "rehearsal.yaml");
  const ended = await Promise.race([runRehearsal({ system, dataRoot, recipeFile }), system.failed, stop]);
  if (typeof ended === "string") {
    process.exitCode = 130;
    return;
  }
  if (!ended.allTargetsMet) process.exitCode = 1;
  if (once) return;
  process.stdout.write(`${describeSystem(system)}\n\nServing until Ctrl-C.\n`);
  await Promise.race([stop, system.failed]);
}

async function serve({ dataRoot }: { dataRoot: string[] }): Promise<void> {
  const stop = terminationSignal();
  await using system = await startLocalSystem({ stateDirectory, dataRoots: dataRoot, ports: wellKnownPorts });
  process.stdout.write(`${describeSystem(system)}\n\nServing until Ctrl-C.\n`);
  await Promise.race([stop, system.failed]);
}
