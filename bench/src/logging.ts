/**
 * What a logged step costs the process that computes: it says the step to its parent over the pipe between them, and everything else
 * (spool, fsync, broker) is the parent's. Measured as that process's own processor time, its threads included.
 */
import { parseArgs } from "node:util";
import { kinds, startChild } from "@pretrain/worker-process";

export interface LoggingFigures {
  readonly steps: number;
  /** Processor time of the computing process for each step, one number a round. */
  readonly microseconds_per_step: readonly number[];
}

type Said = { readonly kind: "step" } | { readonly kind: "cost"; readonly microseconds: number };

const rounds = 5;

export function readLoggingOptions(parameters: readonly string[]): { readonly steps: number } {
  const { values } = parseArgs({ args: [...parameters], options: { steps: { type: "string", default: "20000" } } });
  const steps = Number(values.steps);
  if (Number.isInteger(steps) && steps >= 1000 && steps <= 1_000_000) return { steps };
  throw new RangeError(`--steps is ${values.steps}; it must be a whole number from 1000 to 1000000`);
}

export async function logging(steps: number): Promise<LoggingFigures> {
  const found: number[] = [];
  for (let round = 0; round < rounds; round += 1) found.push(await costOfSaying(steps));
  return { steps, microseconds_per_step: found };
}

async function costOfSaying(steps: number): Promise<number> {
  const { promise: cost, resolve } = Promise.withResolvers<number>();
  const child = await startChild<{ readonly kind: "say"; readonly steps: number }, Said>({
    module: new URL("./logging-child.ts", import.meta.url),
    environment: { PATH: process.env["PATH"] },
    receives: kinds<Said>({ step: true, cost: true }),
    onMessage: (said) => {
      if (said.kind === "cost") resolve(said.microseconds);
    },
  });
  await child.send({ kind: "say", steps });
  const ended = await child.exited;
  if (ended.code !== 0) throw new Error(`the process ended with code ${ended.code}: ${ended.stderrTail}`);
  return await cost;
}
