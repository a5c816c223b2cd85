/** `completion`: a script that completes commands, options, values and names of experiments, made from the tree of commands itself. */
import { Argument, type Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { commandModels } from "../completion/command-model.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import type { Terminal } from "../terminal/terminal.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function addCompletionCommand(program: Command, { stdout }: Terminal): void {
  program
    .command("completion")
    .description("write the completion script of a shell to the standard output")
    .addArgument(new Argument("<shell>", "of the three that are known").choices(Object.keys(scripts)))
    .addHelpText("after", "\nExample:\n  source <(pretrain completion bash)")
    .action((shell: keyof typeof scripts) => void stdout.write(scripts[shell](commandModels(program))));
}
