/** A terminal for tests: what a command writes is kept, Ctrl-C is a call, and a person may look at it or not. */

import { runCommandLine } from "./run-command-line.ts";
import type { ExitCode } from "./terminal/exit-codes.ts";
import type { Output, Terminal } from "./terminal/terminal.ts";

export interface TestTerminalOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Absent: a pipe. */
  readonly person?: { readonly columns: number; readonly colors: boolean };
  readonly stdin?: string;
  /** Absent: that of this process. */
  readonly folder?: string;
}

export interface Ran {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  /** So far. */
  readonly written: Pick<Ran, "stdout" | "stderr">;
  /** Ctrl-C. */
  readonly interrupt: () => void;
  readonly ended: Promise<Ran>;
}

/** A command as it is typed behind `pretrain`, started in this process. */
export function startCommand(words: readonly string[], options: TestTerminalOptions = {}): RunningCommand {
  const { environment = {}, person, stdin = "", folder = process.cwd() } = options;
  const interruption = new AbortController();
  const [stdout, stderr] = [keptOutput(person), keptOutput(person)];
  const terminal: Terminal = {
    stdout: stdout.output,
    stderr: stderr.output,
    stdin: pieces(stdin),
    environment,
    folder,
    interruption: () => interruption.signal,
    exitCode: 0,
  };
  const written = {
    get stdout() {
      return stdout.text();
    },
    get stderr() {
      return stderr.text();
    },
  };
  const ended = runCommandLine(words, terminal).then((exitCode) => ({ exitCode, ...written }));
  return { written, interrupt: () => interruption.abort("SIGINT"), ended };
}

/** A command from its first to its last word. */
export function runCommand(words: readonly string[], options: TestTerminalOptions = {}): Promise<Ran> {
  return startCommand(words, options).ended;
}

function keptOutput(person: TestTerminalOptions["person"]): { readonly output: Output; readonly text: () => string } {
  const written: (string | Uint8Array)[] = [];
  const write = (text: string | Uint8Array) => written.push(text);
  const look = { isTTY: true, columns: person?.columns ?? 80, hasColors: () => person?.colors === true };
  return {
    output: person === undefined ? { write } : { write, ...look },
    text: () => written.map((each) => Buffer.from(each).toString("utf8")).join(""),
  };
}

async function* pieces(text: string): AsyncGenerator<string> {
  yield text;
}
