/**
 * `pnpm fuzz [--inputs N] [--parser NAME] [--seed S] [--at N]`: gives every parser of foreign bytes N hostile inputs, each parser in a process
 * of its own. `pnpm fuzz --http2 [--seconds N]` attacks a server over HTTP/2 instead. Prints a line of a table for each, and every finding;
 * exit code 1 when there is one.
 */
import { parseArgs } from "node:util";
import { messageOf } from "@pretrain/errors";
import { attackServer } from "./attack-server.ts";
import { attacks } from "./http2-attacks.ts";
import { parsers } from "./parsers.ts";
import { printInput } from "./print-input.ts";
import { attackHead, attackRow, tableHead, tableRow } from "./table.ts";
import { tryParser } from "./try-parser.ts";

const usage = `--inputs N     of each parser (10000)
--parser NAME  only those whose name begins so
--seed S       the same seed makes the same inputs (1)
--at N         instead: prints input N of one parser, as base64, and what comes of it
--http2        instead: attacks on the server of every service, while somebody else calls it
--seconds N    of each attack (5)`;

const text = { type: "string" } as const;
try {
  const { values } = parseArgs({
    options: { inputs: text, parser: text, seed: text, at: text, http2: { type: "boolean" }, seconds: text },
  });
  const seed = values.seed ?? "1";
  const chosen = parsers(values.parser);
  if (values.http2 === true) await attackAll(count(values.seconds ?? "5", "--seconds"));
  else if (values.at === undefined) await tryAll(chosen, seed, count(values.inputs ?? "10000", "--inputs"));
  else for (const { file } of chosen) console.log(await printInput(file, seed, count(values.at, "--at")));
} catch (error) {
  console.error(`fuzz: ${messageOf(error)}\n${usage}`);
  process.exitCode = 2;
}

async function tryAll(chosen: ReturnType<typeof parsers>, seed: string, inputs: number): Promise<void> {
  console.log(`SEED=${seed}\n${tableHead()}`);
  for (const { name, file } of chosen) {
    const trial = await tryParser({ parser: name, file, inputs, seed });
    console.log(tableRow(trial));
    for (const { kind, input, what } of trial.findings) {
      console.log(`${kind}: --parser ${name} --seed ${seed} --at ${input}\n  ${what.replaceAll("\n", "\n  ")}`);
      process.exitCode = 1;
    }
  }
}

async function attackAll(seconds: number): Promise<void> {
  console.log(attackHead());
  for await (const outcome of attackServer(Object.keys(attacks), 1000 * seconds)) {
    console.log(attackRow(outcome));
    if (outcome.failed.length > 0 || outcome.rssBytes === 0) process.exitCode = 1;
  }
}

function count(given: string, option: string): number {
  const number = Number(given);
  if (Number.isSafeInteger(number) && number >= 0 && number <= 1e9) return number;
  throw new Error(`${option} must be a number from 0 to 1000000000, not "${given}"`);
}
