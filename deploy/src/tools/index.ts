/** Programs that `node deploy/src/tools/main.ts` builds: where they are, or why they are not. */
import { existsSync } from "node:fs";
import { FailedPrecondition } from "@pretrain/errors";
import { programOf, type ToolName } from "./tool-table.ts";

export type { ToolName } from "./tool-table.ts";

/** @throws FailedPrecondition that names the command which makes it, unless the tool is there */
export function toolPath(name: ToolName): string {
  const reason = whyNoTools(name);
  if (reason === false) return programOf(name);
  throw new FailedPrecondition("TOOL_MISSING", reason, { tool: name });
}

/** For the `skip` of a test: which of the tools are missing and the command that makes them, or false where all are there. */
export function whyNoTools(...names: readonly ToolName[]): string | false {
  const missing = names.filter((name) => !existsSync(programOf(name)));
  if (missing.length === 0) return false;
  return `not built here: ${missing.join(", ")}; run \`node deploy/src/tools/main.ts ${missing.join(" ")}\``;
}
