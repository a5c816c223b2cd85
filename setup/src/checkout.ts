/** This checkout, and the programs that its packages bring. */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Outcome {
  readonly code: number;
  /** What it printed, stdout before stderr. */
  readonly output: string;
}

/**
 * Runs a program of `node_modules/.bin` (or git) in the checkout and waits for its end. That folder comes first in PATH, so that
 * programs find each other and the pinned Node, also when this was not started by a package script.
 */
export async function runProgram(program: string, parameters: readonly string[], cwd = checkout): Promise<Outcome> {
  const PATH = `${join(checkout, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`;
  const options = { cwd, env: { ...process.env, PATH }, maxBuffer: 64e6 };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, parameters, options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    if (!isFailedRun(error)) throw error; // it could not be started
    return { code: error.code, output: error.stdout + error.stderr };
  }
}

function isFailedRun(error: unknown): error is { code: number; stdout: string; stderr: string } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "number" &&
    "stdout" in error &&
    "stderr" in error
  );
}
