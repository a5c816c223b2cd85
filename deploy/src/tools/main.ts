/**
 * Makes the programs that the manifests are checked with, once; what is there already is not made again.
 *
 *     node deploy/src/tools/main.ts                      all of them, and the definitions of the kinds that overlays use
 *     node deploy/src/tools/main.ts kustomize ghz        these
 *
 * The first run compiles a control plane of Kubernetes: up to an hour on two cores, and some 6 GB in Go's caches. It may be stopped
 * and started again at any time. Nothing that `npm start` needs is made here.
 */
import { parseArgs } from "node:util";
import { InvalidArgument, messageOf, PretrainError } from "@pretrain/errors";
import { ensureDefinitions, schemasFolder } from "../definitions/index.ts";
import { ensureTool } from "./build-tool.ts";
import { programOf, type ToolName, tools } from "./tool-table.ts";

interface Step {
  readonly name: string;
  /** What is there afterwards. */
  readonly path: string;
  readonly ensure: (started: () => void) => Promise<void>;
}

const steps: readonly Step[] = [
  { name: "definitions", path: schemasFolder, ensure: ensureDefinitions },
  ...(Object.keys(tools) as ToolName[]).map((name) => ({
    name,
    path: programOf(name),
    ensure: (started: () => void) => ensureTool(name, started),
  })),
];

const { positionals } = parseArgs({ allowPositionals: true });
try {
  for (const step of wanted(positionals)) await perform(step);
} catch (error) {
  if (!(error instanceof PretrainError)) throw error; // a fault of this program, with its stack
  process.stderr.write(`\n${messageOf(error)}\n`);
  process.exitCode = 1;
}

/** @throws InvalidArgument for a name that is none */
function wanted(names: readonly string[]): readonly Step[] {
  if (names.length === 0) return steps;
  return names.map((name) => {
    const found = steps.find((step) => step.name === name);
    if (found !== undefined) return found;
    const known = steps.map((step) => step.name).join(", ");
    throw new InvalidArgument([{ field: name, description: `is no tool; there are ${known}` }]);
  });
}

/** Prints `kustomize … 3.2 s`, the first half at once, so that a person sees what takes so long, and then the path. */
async function perform({ name, path, ensure }: Step): Promise<void> {
  let startedMs: number | undefined;
  await ensure(() => {
    startedMs = performance.now();
    process.stderr.write(`${name} … `);
  });
  if (startedMs !== undefined) process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
  console.log(path);
}
