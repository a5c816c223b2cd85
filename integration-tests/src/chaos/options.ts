/** What the command line asks for. */
import { parseArgs } from "node:util";
import { messageOf } from "@pretrain/errors";
import { type FaultName, faultNames, faults } from "./faults.ts";
import { type Mutant, mutants } from "./mutants/mutants.ts";
import { mutantsCalled } from "./mutants/run-mutants.ts";

export interface Options {
  readonly rounds: number;
  readonly seed: string;
  readonly faults: readonly FaultName[];
  readonly flips: number;
  readonly powerCuts: number;
  /** To be run instead of all that, if any. */
  readonly mutants: readonly Mutant[];
  /** Keep the folder also when nothing was found. */
  readonly keep: boolean;
}

export const usage = `--rounds N        faults, one after the other (20)
--seed S          of the plan: the same seed plans the same rounds (a new one each time)
--faults a,b      only these, or all that begin so; one of ${Object.keys(faults).join(", ")}
--flips N         bits flipped in files, one at a time (0)
--power-cuts N    moments at which the power of a writing program is cut (0)
--mutant NAME     instead: the harness on a copy of the tree that lacks a safeguard, ${mutants.map(({ name }) => name).join(", ")} or all
--keep            keep the folder of the run`;

/** Only when named: the state's folder has to be a small disk. */
const needSmallDisk: readonly FaultName[] = ["full-disk"];
const mostRounds = 1_000_000;

/** @returns a sentence that says what is wrong, if something is */
export function readOptions(words: readonly string[]): Options | string {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      args: [...words],
      options: {
        rounds: text,
        seed: text,
        faults: text,
        flips: text,
        "power-cuts": text,
        mutant: text,
        keep: { type: "boolean" },
      },
    });
    return {
      rounds: count(values.rounds ?? "20", "--rounds"),
      seed: values.seed ?? String(Date.now() % 1_000_000),
      faults: chosen(values.faults),
      flips: count(values.flips ?? "0", "--flips"),
      powerCuts: count(values["power-cuts"] ?? "0", "--power-cuts"),
      mutants: values.mutant === undefined ? [] : mutantsCalled(values.mutant),
      keep: values.keep ?? false,
    };
  } catch (error) {
    return messageOf(error);
  }
}

function count(text: string, name: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && number <= mostRounds) return number;
  throw new Error(`${name} must be a number from 0 to ${mostRounds}, not "${text}"`);
}

function chosen(wanted: string | undefined): FaultName[] {
  if (wanted === undefined) return faultNames(Object.keys(faults)).filter((name) => !needSmallDisk.includes(name));
  const unknown = wanted.split(",").filter((word) => faultNames([word]).length === 0);
  if (unknown.length > 0) throw new Error(`no fault is called ${unknown.join(" or ")}`);
  return faultNames(wanted.split(","));
}
