/**
 * Makes the programs that the manifests are checked with, once; what is there already is not made again.
 *
 *     node deploy/src/tools/main.ts                      all of them
 *     node deploy/src/tools/main.ts kustomize ghz        these
 *
 * The first run compiles a control plane of Kubernetes: up to an hour on two cores, and some 6 GB in Go's caches. It may be stopped
 * and started again at any time. Nothing that `npm start` needs is made here.
 */
import { parseArgs } from "node:util";
import { InvalidArgument, messageOf, PretrainError } from "@pretrain/errors";
import { ensureTool } from "./build-tool.ts";
import { programOf, type ToolName, tools } from "./tool-table.ts";

const { positionals } = parseArgs({ allowPositionals: true });
try {
  for (const name of wantedTools(positionals)) await perform(name);
} catch (error) {
  if (!(error instanceof PretrainError)) throw error; // a fault of this program, with its stack
  process.stderr.write(`\n${messageOf(error)}\n`);
  process.exitCode = 1;
}

/** @throws InvalidArgument for a name that is none */
function wantedTools(names: readonly string[]): readonly ToolName[] {
  const known = Object.keys(tools) as ToolName[];
  if (names.length === 0) return known;
  return names.map((name) => {
    const found = known.find((tool) => tool === name);
    if (found !== undefined) return found;
    throw new InvalidArgument([{ field: name, description: `is no tool; there are ${known.join(", ")}` }]);
  });
}

/** Prints `kustomize … 3.2 s`, the first half at once, so that a person sees what takes so long, and then the path. */
async function perform(name: ToolName): Promise<void> {
  let startedMs: number | undefined;
  await ensureTool(name, () => {
    startedMs = performance.now();
    process.stderr.write(`${name} … `);
  });
  if (startedMs !== undefined) process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
  console.log(programOf(name));
}
