/** A contender: a process that is prepared once and then runs whenever it is its turn. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Config, Ended, Ready, Request, Round } from "./protocol.ts";
import { asEnded, asReady, asRound } from "./read-answer.ts";

export interface Program {
  readonly file: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a contender's failure means is the harness's to say: a peer that cannot run must not make us look better. */
export class ContenderFailed extends Error {
  override readonly name = "ContenderFailed";
}

const patienceMs = { prepare: 15 * 60_000, run: 15 * 60_000, end: 60_000 };
const keptStderrCharacters = 16_384;

export class Contender implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #stderrTail: () => string;
  readonly #exited: Promise<string>;

  constructor({ file, parameters, environment }: Program) {
    this.#child = spawn(file, [...parameters], { env: { ...environment } });
    this.#exited = once(this.#child, "close").then(
      ([code, signal]) => `it ended with ${signal ?? `code ${code}`}`,
      (error: unknown) => `it cannot be started: ${String(error)}`,
    );
    this.#child.stdin.on("error", () => undefined); // a write to a process that has just ended; its end is reported
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#stderrTail = tailOf(this.#child.stderr);
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  async prepare(config: Config): Promise<Ready> {
    return asReady(await this.#ask({ prepare: config }, patienceMs.prepare));
  }

  async run(units: number): Promise<Round> {
    return asRound(await this.#ask({ run: units }, patienceMs.run));
  }

  async end(): Promise<Ended> {
    return asEnded(await this.#ask({ end: true }, patienceMs.end));
  }

  /** @throws ContenderFailed with the last that the process wrote on stderr */
  async #ask(request: Request, limitMs: number): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const patience = new AbortController();
    const late = pause(limitMs, undefined, { signal: patience.signal }).then(
      () => `no answer within ${limitMs / 1000} s`,
      () => "",
    );
    const next = await Promise.race([this.#answers.next(), late]);
    patience.abort();
    if (typeof next === "string") throw new ContenderFailed(next);
    if (next.done === true) throw new ContenderFailed(`${await this.#exited}\n${this.#stderrTail()}`);
    return JSON.parse(next.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

function tailOf(stderr: Readable): () => string {
  let tail = "";
  stderr.setEncoding("utf8").on("data", (piece: string) => {
    tail = `${tail}${piece}`.slice(-keptStderrCharacters);
  });
  return () => tail;
}
