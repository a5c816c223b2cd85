/**
 * Checkpoints are written by a thread while training goes on. Between two steps the loop copies the state off the device, into memory
 * that both see; that is all that training waits for:
 *
 *     loop     step │ step │copy│ step │ step │ step │ … │copy│ step
 *     thread                    └─ digests, bytes, fsyncs ─┘  └─ …
 *
 * There is one copy, so a second checkpoint waits until the first one is durable. The memory is kept: filling pages that are there
 * already takes a quarter of the time that new ones take.
 */
import { Worker } from "node:worker_threads";
import type { CheckpointState, StoredPart } from "@pretrain/checkpoint";
import type { ModelShape } from "@pretrain/model";
import type { TrainingProgram } from "@pretrain/training-program";
import type { FromThread, ThreadData } from "./checkpoint-thread.ts";
import { FoundByThread } from "./faults.ts";
import { sharedState, storedTensors } from "./stored-state.ts";

export interface WrittenCheckpoint {
  readonly state: CheckpointState;
  readonly parts: readonly StoredPart[];
  /** From the first byte copied to the last one durable. */
  readonly writeSeconds: number;
  /** How long training stood still for it: the checkpoint before it, if that was not durable yet, and the copy. */
  readonly pauseSeconds: number;
}

export interface CheckpointWriterOptions {
  /** Address of the store. */
  readonly blobs: string;
  readonly shape: ModelShape;
  /** Resolves when the bytes of the next checkpoint may be written: a process that was stopped for long may have a successor. */
  readonly mayWrite: () => Promise<void>;
  /** Called in the order of the checkpoints, when the parts are durable. */
  readonly onWritten: (checkpoint: WrittenCheckpoint) => void;
}

type Saving = Pick<WrittenCheckpoint, "state" | "pauseSeconds"> & { readonly copySeconds: number };

export class CheckpointWriter implements AsyncDisposable {
  /** Never resolves. Rejects when a checkpoint cannot be written: with FoundByThread, or with what ended the thread. */
  readonly failed: Promise<never>;
  readonly #memory: ReturnType<typeof sharedState>;
  readonly #thread: Worker;
  readonly #onWritten: CheckpointWriterOptions["onWritten"];
  readonly #mayWrite: CheckpointWriterOptions["mayWrite"];
  readonly #failure = Promise.withResolvers<never>();
  #free = Promise.withResolvers<void>();
  #saving: Saving | undefined;

  constructor({ blobs, shape, mayWrite, onWritten }: CheckpointWriterOptions) {
    this.#memory = sharedState(shape);
    this.#onWritten = onWritten;
    this.#mayWrite = mayWrite;
    this.failed = this.#failure.promise;
    this.failed.catch(() => undefined); // whoever waits for it hears of it; nobody need
    const workerData: ThreadData = { blobs, ...storedTensors(this.#memory, shape) };
    this.#thread = new Worker(new URL("./checkpoint-thread.ts", import.meta.url), { workerData, execArgv: [] });
    this.#thread.on("message", (message: FromThread) => this.#hear(message));
    this.#thread.on("error", (error) => this.#failure.reject(error));
    this.#thread.on("exit", (code) => this.#failure.reject(new Error(`the checkpoint thread ended with code ${code}`)));
  }

  /**
   * Resolves when training may go on: what is written is the state of this moment.
   *
   * @param program right between two optimizer steps   @throws as `failed`
   */
  async save(program: Pick<TrainingProgram, "copyTo">, state: CheckpointState): Promise<void> {
    const began = performance.now();
    await this.settled();
    this.#free = Promise.withResolvers();
    const copying = performance.now();
    const allowed = this.#mayWrite(); // asked before the copy, so that the answer is there behind it
    program.copyTo(this.#memory);
    await allowed;
    const copied = performance.now();
    const [pauseSeconds, copySeconds] = [(copied - began) / 1000, (copied - copying) / 1000];
    this.#saving = { state, pauseSeconds, copySeconds };
    this.#thread.postMessage(state); // before the next step: behind it nobody would hear the answer for as long as that takes
  }

  /** Resolves when nothing is being written. @throws as `failed` */
  async settled(): Promise<void> {
    await Promise.race([this.#free.promise, this.failed]);
  }

  /** Ends the thread at once, in the middle of what it does: what it has not written is lost, as at the end of the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }

  #hear(message: FromThread): void {
    if (message.kind === "failed") return this.#failure.reject(new FoundByThread(message.reason, message.message));
    if (message.kind === "written" && this.#saving !== undefined) {
      const { copySeconds, ...saved } = this.#saving;
      this.#onWritten({ ...saved, parts: message.parts, writeSeconds: copySeconds + message.seconds });
    }
    this.#free.resolve();
  }
}
