/** The `pretrain` command: everything a person does at a terminal. */
import { messageOf } from "@pretrain/errors";
import { Command } from "commander";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addExperimentCommands } from "./commands/experiments.ts";
import { addExportCommand } from "./commands/export.ts";
import { addReportCommand } from "./commands/report.ts";
import { addSystemCommands } from "./commands/system.ts";

const program = new Command("pretrain")
  .description("Pretrains small language models and writes a record whose every number can be trusted.")
  .showHelpAfterError();

addSystemCommands(program);
addExperimentCommands(program);
addExportCommand(program);
addReportCommand(program);
addDoctorCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`pretrain: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
