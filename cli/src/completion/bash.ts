/** Completion for bash, as a script that is sourced. It starts nothing but for the names of experiments. */
import type { CommandModel, Completes, OptionModel } from "./command-model.ts";

/** @param commands whose names and values hold no character that a shell reads as more than itself */
export function bashCompletion(commands: readonly CommandModel[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# Completion of pretrain for bash: source <(pretrain completion bash)
_pretrain_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null; }
_pretrain_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_pretrain_folders() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }
_pretrain_experiments() {
  _pretrain_words "$("\${COMP_WORDS[0]}" list --json 2>/dev/null | sed -n 's/^{"name":"experiments\\/\\([^"]*\\)".*/\\1/p')"
}
# Sets the number of operands before the cursor. $1: the options that take a value.
_pretrain_count() {
  operand=0
  local at word
  for ((at = 2; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ $word == --* ]]; then [[ " $1 " == *" $word "* ]] && ((at++)); else ((operand++)); fi
  done
}
_pretrain() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} operand
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then _pretrain_words "${names}"; return; fi
  case \${COMP_WORDS[1]} in
${commands.map(commandBranch).join("\n")}
  esac
}
complete -F _pretrain pretrain ./pretrain
`;
}

function commandBranch({ name, options, operands, isVariadic }: CommandModel): string {
  const valued = options.filter(({ value }) => value !== undefined);
  const longs = (some: readonly OptionModel[]) => some.map(({ long }) => long).join(" ");
  const places = operands.map(({ completes }, index) => {
    const pattern = isVariadic && index === operands.length - 1 ? "*" : String(index);
    return `        ${pattern}) ${action(completes)} ;;`;
  });
  return [
    `    ${name})`,
    ...(valued.length === 0 ? [] : [`      case $previous in`, ...valued.map(valueBranch), `      esac`]),
    `      if [[ $current == -* ]]; then _pretrain_words "${longs(options)}"; return; fi`,
    ...(places.length === 0
      ? []
      : [`      _pretrain_count "${longs(valued)}"`, `      case $operand in`, ...places, `      esac`]),
    `      ;;`,
  ].join("\n");
}

function valueBranch({ long, value }: OptionModel): string {
  return `        ${long}) ${action(value ?? { by: "nothing" })}; return ;;`;
}

function action(completes: Completes): string {
  if (completes.by === "words") return `_pretrain_words "${completes.words.join(" ")}"`;
  return completes.by === "nothing" ? ":" : `_pretrain_${completes.by}`;
}
