/** Completion for fish, as a script that is sourced or lies in ~/.config/fish/completions as `pretrain.fish`. */
import type { CommandModel, Completes, OptionModel } from "./command-model.ts";

export function fishCompletion(commands: readonly CommandModel[]): string {
  const names = commands.map(({ name, description }) => {
    return `complete -c pretrain -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`;
  });
  return `# Completion of pretrain for fish: pretrain completion fish | source
function __pretrain_experiments
    pretrain list --json 2>/dev/null | string replace -rf '^\\{"name":"experiments/([^"]*)".*' '$1'
end
complete -c pretrain -f
${names.join("\n")}
${commands.flatMap(commandLines).join("\n")}
`;
}

function commandLines({ name, options, operands }: CommandModel): string[] {
  const here = `complete -c pretrain -n '__fish_seen_subcommand_from ${name}'`;
  const places = new Set(operands.map(({ completes }) => operandWords(completes)).filter((words) => words !== ""));
  return [
    ...options.map((option) => `${here} ${optionWords(option)}`),
    ...[...places].map((words) => `${here} ${words}`),
  ];
}

function optionWords({ long, description, value }: OptionModel): string {
  const words = [`-l ${long.slice(2)}`, `-d ${quoted(description)}`];
  if (value !== undefined)
    words.push(value.by === "files" || value.by === "folders" ? "-r -F" : `-x ${operandWords(value)}`);
  return words.join(" ").trimEnd();
}

function operandWords(completes: Completes): string {
  switch (completes.by) {
    case "words":
      return `-a ${quoted(completes.words.join(" "))}`;
    case "files":
    case "folders":
      return "-F";
    case "experiments":
      return "-a '(__pretrain_experiments)'";
    case "nothing":
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
