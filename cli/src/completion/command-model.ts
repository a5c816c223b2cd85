/** The tree of commands as a shell needs it: names, options, and what stands where an argument or a value is expected. */
import type { Argument, Command, Option } from "commander";
import { recipeFields } from "./recipe-fields.ts";

/** What can stand there. `words` that end with `=` want more behind them. */
export type Completes =
  | { readonly by: "words"; readonly words: readonly string[] }
  | { readonly by: "experiments" | "files" | "folders" | "nothing" };

export interface OptionModel {
  /** `--format`. */
  readonly long: string;
  readonly description: string;
  /** Undefined: it takes no value. */
  readonly value: Completes | undefined;
}

export interface CommandModel {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionModel[];
  readonly operands: readonly { readonly name: string; readonly completes: Completes }[];
  /** The last operand may be there again and again. */
  readonly isVariadic: boolean;
}

export function commandModels(program: Command): CommandModel[] {
  const { visibleOptions, visibleCommands } = bound(program);
  return visibleCommands(program).map((command) => ({
    name: command.name(),
    description: firstClause(command.description()),
    options: visibleOptions(command).flatMap(optionModel),
    operands: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      completes: ofArgument(argument),
    })),
    isVariadic: command.registeredArguments.at(-1)?.variadic === true,
  }));
}

/** Commander's own list for its help, with `--help` and `help`. */
function bound(program: Command) {
  const help = program.createHelp();
  return {
    visibleOptions: (command: Command) => help.visibleOptions(command),
    visibleCommands: (command: Command) => help.visibleCommands(command),
  };
}

function optionModel(option: Option): OptionModel[] {
  if (option.long === undefined || option.long === null) return [];
  const value = option.required || option.optional ? ofOption(option) : undefined;
  return [{ long: option.long, description: firstClause(option.description), value }];
}

const byPlaceholder: Readonly<Record<string, Completes>> = {
  "<file>": { by: "files" },
  "<path>": { by: "files" },
  "<folder>": { by: "folders" },
  "<folder...>": { by: "folders" },
  "<field=value...>": { by: "words", words: recipeFields().map((field) => `${field}=`) },
};

function ofOption(option: Option): Completes {
  if (option.argChoices !== undefined) return { by: "words", words: option.argChoices };
  return byPlaceholder[option.flags.split(" ").at(-1) ?? ""] ?? { by: "nothing" };
}

/** By the names that commands give to their arguments. */
const byArgument: Readonly<Record<string, Completes>> = {
  recipe: { by: "files" },
  path: { by: "files" },
  folder: { by: "folders" },
  experiment: { by: "experiments" },
  checkpoint: { by: "experiments" },
  baseline: { by: "experiments" },
  candidates: { by: "experiments" },
  what: { by: "experiments" },
};

function ofArgument(argument: Argument): Completes {
  if (argument.argChoices !== undefined) return { by: "words", words: argument.argChoices };
  return byArgument[argument.name()] ?? { by: "nothing" };
}

/** Short enough to stand beside a word. */
function firstClause(description: string): string {
  return description.split(/[;(]|, (?:such|the)/)[0]?.trim() ?? "";
}
