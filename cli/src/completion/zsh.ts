/** Completion for zsh, as a script that is sourced or lies in a folder of fpath as `_pretrain`. */
import type { CommandModel, Completes, OptionModel } from "./command-model.ts";

export function zshCompletion(commands: readonly CommandModel[]): string {
  const described = commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`);
  return `#compdef pretrain
# Completion of pretrain for zsh: source <(pretrain completion zsh)
_pretrain_experiments() {
  local -a experiments
  experiments=(\${(f)"$(pretrain list --json 2>/dev/null | sed -n 's/^{"name":"experiments\\/\\([^"]*\\)".*/\\1/p')"})
  compadd -a experiments
}
_pretrain() {
  local state
  local -a commands
  commands=(
${described.join("\n")}
  )
  _arguments -C '1:command:->command' '*::argument:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.map(commandBranch).join("\n")}
      esac
      ;;
  esac
}
if [[ \${funcstack[1]} == _pretrain ]]; then _pretrain "$@"; else compdef _pretrain pretrain; fi
`;
}

function commandBranch({ name, options, operands, isVariadic }: CommandModel): string {
  const places = operands.map(({ name: operand, completes }, index) => {
    const place = isVariadic && index === operands.length - 1 ? "*" : String(index + 1);
    return quoted(`${place}:${operand}:${action(completes)}`);
  });
  const words = [...options.map(optionSpec), ...places].map((word) => `          ${word}`);
  return [`        ${name})`, "          _arguments \\", words.join(" \\\n"), "          ;;"].join("\n");
}

function optionSpec({ long, description, value }: OptionModel): string {
  const text = description.replaceAll(/[[\]:]/g, " ");
  return quoted(`${long}[${text}]${value === undefined ? "" : `:value:${action(value)}`}`);
}

function action(completes: Completes): string {
  switch (completes.by) {
    case "words":
      return `(${completes.words.join(" ")})`;
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "experiments":
      return "_pretrain_experiments";
    case "nothing":
      return " ";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
