/** The command line. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Precision } from "./protocol.ts";
import { type BenchName, type ModelName, models, type Work } from "./workload.ts";

export interface Options {
  readonly bench: BenchName;
  readonly work: Work;
  /** In the order in which they are measured. */
  readonly precisions: readonly Precision[];
  readonly rounds: number;
  /** Whether the slow contenders take part. */
  readonly eager: boolean;
}

export const usage = `pnpm bench step|score|generate|resume|checkpoint
    [--model=baseline|small] [--rows=8] [--rows-at-once=<rows>] [--precision=float32|bfloat16|all] [--rounds=5] [--eager]
pnpm bench queue [--experiments=10000]
pnpm bench rpc [--rounds=3]
pnpm bench logging [--steps=20000]
pnpm bench watchers [--watchers=500]
pnpm bench curves [--steps=173385]
pnpm bench ledger [--events=200000]
pnpm bench export
pnpm bench beside [--model=small|baseline] [--niceness=10] [--threads=0] [--save-interval=60] [--rows=8] [--validation-rows=64]
--rows-at-once is for our traced step. --eager measures our eager path too, which is slow.`;

const benches = ["step", "score", "generate", "resume", "checkpoint"] as const satisfies readonly BenchName[];
const precisionSets: Readonly<Record<string, readonly Precision[]>> = {
  float32: ["float32"],
  bfloat16: ["bfloat16"],
  all: ["float32", "bfloat16"],
};

/** @throws RangeError naming the option that is wrong; TypeError for an option that is none */
export function readOptions(parameters: readonly string[], threads = availableParallelism()): Options {
  const { values, positionals } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: {
      model: { type: "string", default: "baseline" },
      rows: { type: "string", default: "8" },
      "rows-at-once": { type: "string" },
      precision: { type: "string", default: "float32" },
      rounds: { type: "string", default: "5" },
      eager: { type: "boolean", default: false },
    },
  });
  const [bench, ...others] = positionals;
  if (others.length > 0) throw new RangeError(`one bench at a time, not also ${others.join(" ")}`);
  const rows = count("--rows", values.rows, 128);
  return {
    bench: oneOf("the bench", benches, bench ?? "nothing"),
    work: {
      model: oneOf("--model", Object.keys(models).filter(isModelName), values.model),
      rows,
      rowsAtOnce: count("--rows-at-once", values["rows-at-once"] ?? String(rows), rows),
      threads,
    },
    precisions: precisionSets[oneOf("--precision", Object.keys(precisionSets), values.precision)] ?? [],
    rounds: count("--rounds", values.rounds, 100),
    eager: values.eager,
  };
}

function oneOf<Name extends string>(what: string, names: readonly Name[], found: string): Name {
  const name = names.find((each) => each === found);
  if (name === undefined) throw new RangeError(`${what} is ${found}; it must be one of ${names.join(", ")}`);
  return name;
}

function count(what: string, found: string, most: number): number {
  const value = Number(found);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`${what} is ${found}; it must be a whole number from 1 to ${most}`);
}

function isModelName(name: string): name is ModelName {
  return Object.hasOwn(models, name);
}
