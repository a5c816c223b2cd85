/** Processes that compute, one for each attempt. The first one is started early: it loads TensorFlow while work is waited for. */
import { type ComputingProcess, startComputing } from "./computing-process.ts";

export class ComputingProcesses implements AsyncDisposable {
  readonly #environment: NodeJS.ProcessEnv;
  #early: Promise<ComputingProcess> | undefined;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
    this.#early = startComputing(environment);
    this.#early.catch(() => undefined); // whoever takes it hears of it
  }

  /** A process of the caller's own. @throws Unavailable when it cannot be started */
  take(): Promise<ComputingProcess> {
    const early = this.#early;
    this.#early = undefined;
    return early ?? startComputing(this.#environment);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#early?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
