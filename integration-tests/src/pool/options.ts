/** What the command line asks for. */
import { parseArgs } from "node:util";
import { messageOf } from "@pretrain/errors";

export interface Options {
  readonly experiments: number;
  readonly nodes: number;
  /** Of what happens to nodes: the same seed plans the same. */
  readonly seed: string;
  /** How often something happens to a node. */
  readonly faults: number;
  /** Keep the folder also when nothing was found. */
  readonly keep: boolean;
}

export const usage = `--experiments N   started at once (20)
--nodes N         with one GPU each (4)
--faults N        nodes that vanish, are drained or are cut off (half as many as experiments)
--seed S          of the faults (a new one each time)
--keep            keep the folder of the run`;

/** @returns a sentence that says what is wrong, if something is */
export function readOptions(words: readonly string[]): Options | string {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      args: [...words],
      options: { experiments: text, nodes: text, faults: text, seed: text, keep: { type: "boolean" } },
    });
    const experiments = count(values.experiments ?? "20", "--experiments", 1, 10_000);
    return {
      experiments,
      nodes: count(values.nodes ?? "4", "--nodes", 1, 64),
      faults: count(values.faults ?? String(Math.ceil(experiments / 2)), "--faults", 0, 10_000),
      seed: values.seed ?? String(Date.now() % 1_000_000),
      keep: values.keep ?? false,
    };
  } catch (error) {
    return messageOf(error);
  }
}

function count(text: string, name: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  throw new Error(`${name} must be a number from ${least} to ${most}, not "${text}"`);
}
