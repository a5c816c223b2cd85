/**
 * Runs the harness on copies of this tree, each with one safeguard removed. A mutant is caught when the harness finds
 * something in it that it does not find in the tree itself.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "@pretrain/errors";
import { type Mutant, mutants } from "./mutants.ts";
import { mutatedTree } from "./mutated-tree.ts";

const checkout = fileURLToPath(new URL("../../../../", import.meta.url));

/** @returns those that `name` names: one, or `all`  @throws Error naming what there is */
export function mutantsCalled(name: string): readonly Mutant[] {
  const called = mutants.filter((mutant) => name === "all" || mutant.name === name);
  if (called.length > 0) return called;
  throw new Error(`no mutant is called ${name}; there are ${mutants.map((each) => each.name).join(", ")}, or all`);
}

/** @returns whether every one was caught; `say` hears of each what was found */
export function runMutants(chosen: readonly Mutant[], say: (line: string) => void): boolean {
  const caught = chosen.filter((mutant) => isCaught(mutant, say));
  say(JSON.stringify({ mutants: chosen.length, caught: caught.map(({ name }) => name) }));
  return caught.length === chosen.length;
}

function isCaught(mutant: Mutant, say: (line: string) => void): boolean {
  try {
    using tree = mutatedTree(checkout, mutant);
    const command = [join(tree.path, "integration-tests/src/chaos/main.ts"), ...mutant.run];
    const { status, stdout } = spawnSync(process.execPath, command, { cwd: tree.path, encoding: "utf8" });
    const found = stdout.split("\n").filter((line) => /^(FOUND|FAILED)/.test(line));
    const verdict = status === 1 && found.length > 0;
    say(`${verdict ? "caught    " : "NOT CAUGHT"}  ${mutant.name}: without ${mutant.lacks}`);
    say(found[0] ?? stdout.slice(-2000));
    return verdict;
  } catch (error) {
    say(`NOT RUN     ${mutant.name}: ${messageOf(error)}`);
    return false;
  }
}
