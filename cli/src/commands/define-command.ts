/** A command with what all of them have: `--json`, the services that it calls and what it shows them, and an example in its help. */
import type { Command } from "commander";
import { addCredentialOptions } from "../credentials.ts";
import { addressOption, type CalledService } from "../service-addresses.ts";
import { jsonOption } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface CommandDefinition {
  /** Name and arguments, such as `watch <experiment>`. */
  readonly usage: string;
  readonly description: string;
  readonly calls?: readonly CalledService[];
  /** Without `pretrain` in front. */
  readonly example: string;
}

export function defineCommand(program: Command, terminal: Terminal, definition: CommandDefinition): Command {
  const { usage, description, calls = [], example } = definition;
  const command = program.command(usage).description(description).addOption(jsonOption());
  for (const service of calls) command.addOption(addressOption(service, terminal));
  if (calls.length > 0) addCredentialOptions(command, terminal);
  return command.addHelpText("after", `\nExample:\n  pretrain ${example}`);
}
