/** The `pretrain` command: everything a person does at a terminal. */
import { runCommandLine } from "./run-command-line.ts";
import { processTerminal } from "./terminal/terminal.ts";

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
