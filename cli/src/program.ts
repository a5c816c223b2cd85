/** The tree of all commands. */
import { Command } from "commander";
import { addAnnotateCommand } from "./commands/annotate.ts";
import { addCertificatesCommand } from "./commands/certificates.ts";
import { addCheckpointsCommand } from "./commands/checkpoints.ts";
import { addCompareCommand } from "./commands/compare.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addEvalCommand } from "./commands/eval.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addExportCommand } from "./commands/export.ts";
import { addGenerateCommand } from "./commands/generate.ts";
import { addKeysCommand } from "./commands/keys.ts";
import { addLookCommands } from "./commands/look.ts";
import { addPackCommand } from "./commands/pack.ts";
import { addReportCommand } from "./commands/report.ts";
import { addScoreCommand } from "./commands/score.ts";
import { addStartCommands } from "./commands/start.ts";
import { addSteerCommands } from "./commands/steer.ts";
import { addSystemCommands } from "./commands/system.ts";
import { addVerifyCommand } from "./commands/verify.ts";
import { addWatchCommands } from "./commands/watch.ts";
import type { Terminal } from "./terminal/terminal.ts";

/**
 * Everything that commands write goes to the terminal's streams, and nothing ends the process.
 *
 * @param json errors in what was typed are thrown and not written: whoever catches them writes them as JSON
 */
export function commandTree(terminal: Terminal, { json = false }: { readonly json?: boolean } = {}): Command {
  const program = new Command("pretrain")
    .description("Pretrains small language models and writes a record whose every number can be trusted.")
    .showHelpAfterError("(--help shows what it takes)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void (json || terminal.stderr.write(text)),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
    });
  addSystemCommands(program, terminal);
  addStartCommands(program, terminal);
  addWatchCommands(program, terminal);
  addLookCommands(program, terminal);
  addSteerCommands(program, terminal);
  addCheckpointsCommand(program, terminal);
  addEvalCommand(program, terminal);
  addGenerateCommand(program, terminal);
  addScoreCommand(program, terminal);
  addPackCommand(program, terminal);
  addReportCommand(program, terminal);
  addAnnotateCommand(program, terminal);
  addVerifyCommand(program, terminal);
  addCompareCommand(program, terminal);
  addExplainCommand(program, terminal);
  addExportCommand(program, terminal);
  addKeysCommand(program, terminal);
  addCertificatesCommand(program, terminal);
  addDoctorCommand(program, terminal);
  addCompletionCommand(program, terminal);
  return program;
}
