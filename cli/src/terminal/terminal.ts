/** What a command has around it: streams, environment, Ctrl-C and the exit code. Tests give it streams of their own. */
import { hasErrorCode } from "@pretrain/errors";
import type { ExitCode } from "./exit-codes.ts";

/** As much of a writable stream as commands need. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  /** A person looks at it. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(count?: number): boolean;
}

export interface Terminal {
  /** Answers, and nothing else. */
  readonly stdout: Output;
  /** What is said beside them. */
  readonly stderr: Output;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the command was typed. */
  readonly folder: string;
  /** Aborted by Ctrl-C or SIGTERM from the first call on; a command that never asks is ended by them at once. */
  readonly interruption: () => AbortSignal;
  /** What a command that throws nothing ends with. */
  exitCode: ExitCode;
}

/** The terminal that this process was started from. */
export function processTerminal(): Terminal {
  let interruption: AbortSignal | undefined;
  process.stdout.on("error", endWithReader);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    environment: process.env,
    folder: process.cwd(),
    interruption: () => (interruption ??= signalled()),
    exitCode: 0,
  };
}

function signalled(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort(signal));
  return controller.signal;
}

/** `pretrain list | head -1`: whoever reads has enough. */
function endWithReader(error: unknown): void {
  if (!hasErrorCode(error, "EPIPE")) throw error;
  process.exit();
}
