/** One run of the command line, from what was typed to its exit code. Nothing here ends the process, so that a test can call it. */
import type { Command } from "commander";
import { commandTree } from "./program.ts";
import { type ExitCode, exitCodeOf } from "./terminal/exit-codes.ts";
import { tellFailure } from "./terminal/failure.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** @param words behind `pretrain` */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const json = words.includes("--json");
  let command: Command | undefined;
  const program = commandTree(terminal, { json });
  program.hook("preAction", (_, started) => void (command = started));
  try {
    await program.parseAsync(words, { from: "user" });
    return terminal.exitCode;
  } catch (thrown) {
    tellFailure(thrown, terminal, { json, command });
    return exitCodeOf(thrown);
  }
}
