/** The `pretrain` command as a program: an experiment exported by it, and what lies in the folder then. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { SystemUnderTest } from "./system-under-test.ts";

const run = promisify(execFile);
const command = join(fileURLToPath(import.meta.resolve("@pretrain/cli")), "..", "main.ts");

export interface Exported {
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly rows: number }[];
}

export async function exported(system: SystemUnderTest, experiment: string, format: string): Promise<Exported> {
  const folder = join(system.stateDirectory, `exported-${format}`);
  const words = ["export", experiment, "--format", format, "--to", folder, "--json"];
  const { stdout } = await run(process.execPath, [command, ...words, "--report", system.addresses.report]);
  return JSON.parse(stdout);
}
