/** The command line of `beside`. */
import { parseArgs } from "node:util";
import type { ModelName } from "./workload.ts";

export interface BesideOptions {
  readonly model: ModelName;
  /** PRETRAIN_EVALUATION_NICENESS and PRETRAIN_EVALUATION_THREADS of the evaluator. */
  readonly niceness: number;
  readonly threads: number;
  /** Micro-steps between checkpoints, each of so many rows; and rows that an evaluation scores. */
  readonly saveInterval: number;
  readonly rows: number;
  readonly validationRows: number;
}

export function readBesideOptions(parameters: readonly string[]): BesideOptions {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      model: text("small"),
      niceness: text("10"),
      threads: text("0"),
      "save-interval": text("60"),
      rows: text("8"),
      "validation-rows": text("64"),
    },
  });
  if (values.model !== "small" && values.model !== "baseline")
    throw new RangeError(`--model is ${values.model}; it must be small or baseline`);
  return {
    model: values.model,
    niceness: whole("--niceness", values.niceness, 0, 19),
    threads: whole("--threads", values.threads, 0, 1024),
    saveInterval: whole("--save-interval", values["save-interval"], 4, 10_000),
    rows: whole("--rows", values.rows, 1, 128),
    validationRows: whole("--validation-rows", values["validation-rows"], 1, 10_000),
  };
}

function whole(what: string, found: string, least: number, most: number): number {
  const value = Number(found);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${what} is ${found}; it must be a whole number from ${least} to ${most}`);
}
