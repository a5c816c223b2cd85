/**
 * Packs datasets one after the other. What is to be done stands in the records, so nothing is lost with the process: at the
 * start every dataset that is PENDING or PACKING is taken up again, and while this process lives whatever another one leaves
 * (keep-taking-up.ts). Two services that pack the same one write the same bytes.
 */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, PretrainError } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { Dataset_State } from "@pretrain/proto";
import { begun, completed, failed, type PackedRecord, progressed } from "../dataset/dataset-changes.ts";
import type { DatasetRecords } from "../stores/dataset-records.ts";
import { jobOf } from "./job-of-record.ts";
import { type PackOutcome, packInThread } from "./pack-in-thread.ts";
import { ProgressReport } from "./progress-report.ts";

export interface PackingDependencies {
  readonly records: DatasetRecords;
  /** Address of the blob store. */
  readonly blobs: string;
  readonly dataRoots: readonly string[];
  readonly log: Log;
  readonly now: () => Date;
  readonly onPacked: (outcome: "ready" | "failed" | "postponed", durationSeconds: number) => void;
  /** Between two tries while the store has no room or does not answer. */
  readonly tryAgainMs: number;
}

/** How often a dataset's record is touched while it is packed, so that others see that somebody does. */
export const signOfLifeMs = 3_000;

/** PENDING: nobody had begun when it was put in; if somebody has when its turn comes, it is theirs. PACKING: whoever had begun is gone. */
export type FoundAs = "PENDING" | "PACKING";

/** Disposing ends the packing at once; the dataset stays PACKING and is taken up by the next start. */
export class PackingQueue implements AsyncDisposable {
  readonly #dependencies: PackingDependencies;
  readonly #stop = new AbortController();
  /** Names in their order; the first may be being packed. */
  readonly #waiting = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(dependencies: PackingDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes up what an earlier process left. */
  async resume(): Promise<void> {
    for (const { record } of await this.#dependencies.records.all()) {
      const { name, state } = record.dataset;
      if (state === Dataset_State.PENDING) this.enqueue(name);
      if (state === Dataset_State.PACKING) this.enqueue(name, "PACKING");
    }
  }

  /** One that waits already is not taken twice. */
  enqueue(name: string, foundAs: FoundAs = "PENDING"): void {
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#running = this.#running.then(() => this.#packNext(name, foundAs));
  }

  /** Whether it is being packed here, or waits for its turn. */
  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the service is being stopped"));
    await this.#running;
  }

  /** Never rejects: what went wrong stands in the record, or in the log when there is nothing to write it to. */
  async #packNext(name: string, foundAs: FoundAs): Promise<void> {
    const { log } = this.#dependencies;
    try {
      if (!this.#stop.signal.aborted) await this.#pack(name, foundAs);
    } catch (err) {
      if (this.#stop.signal.aborted)
        log.info({ dataset: name }, "packing ended by the stop, the next start takes it up");
      else log.error({ err, dataset: name }, "packing could not be written down, the next start takes it up");
    } finally {
      this.#waiting.delete(name);
    }
  }

  async #pack(name: string, foundAs: FoundAs): Promise<void> {
    const { log } = this.#dependencies;
    let isOurs = false;
    const { record } = await this.#write(name, (current) => {
      const { state } = current.dataset;
      isOurs = state === Dataset_State.PENDING || (foundAs === "PACKING" && state === Dataset_State.PACKING);
      return isOurs ? begun(current) : current;
    });
    if (!isOurs) return; // another process was faster
    log.info({ dataset: name }, "packing");
    const living = setInterval(() => this.#touch(name), signOfLifeMs);
    try {
      await this.#packBegun(name, record);
    } finally {
      clearInterval(living);
    }
  }

  /** One that fails, because others write or the broker is away, is not worth more than the next. */
  #touch(name: string): void {
    void this.#dependencies.records.touch(name).catch(() => undefined);
  }

  async #packBegun(name: string, record: PackedRecord): Promise<void> {
    const { log, now, onPacked } = this.#dependencies;
    const begunMs = performance.now();
    const outcome = await this.#settledOutcomeOf(record);
    const durationSeconds = (performance.now() - begunMs) / 1000;
    if (outcome.kind === "packed") {
      const { result } = outcome;
      await this.#write(name, (current) => completed(current, result, now()));
      log.info({ dataset: name, durationSeconds, ...result }, "packed");
      onPacked("ready", durationSeconds);
    } else {
      await this.#write(name, (current) => failed(current, outcome.message, now()));
      log.warn({ dataset: name, durationSeconds, reason: outcome.message }, "packing failed");
      onPacked("failed", durationSeconds);
    }
  }

  /** A full disk or a store that is away is no fault of the data: it is tried again until there is room, or the stop comes. */
  async #settledOutcomeOf(record: PackedRecord): Promise<Exclude<PackOutcome, { kind: "postponed" }>> {
    const { log, onPacked, tryAgainMs } = this.#dependencies;
    for (;;) {
      const begunMs = performance.now();
      const outcome = await this.#outcomeOf(record);
      if (outcome.kind !== "postponed") return outcome;
      log.warn({ dataset: record.dataset.name, reason: outcome.message }, "packing waits for the store");
      onPacked("postponed", (performance.now() - begunMs) / 1000);
      await pause(tryAgainMs, undefined, { signal: this.#stop.signal });
    }
  }

  async #outcomeOf(record: PackedRecord): Promise<PackOutcome> {
    const { dataRoots, blobs, log } = this.#dependencies;
    const { name } = record.dataset;
    const progress = new ProgressReport((bytesRead) =>
      this.#dependencies.records.change(name, (current) => progressed(current, bytesRead)),
    );
    try {
      const job = await jobOf(record, dataRoots);
      return await packInThread({ job, blobs }, { onProgress: progress.set, signal: this.#stop.signal });
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      if (!(error instanceof PretrainError)) log.error({ err: error, dataset: name }, "packing died of a defect");
      return { kind: "refused", message: messageOf(error) };
    } finally {
      await progress.end();
    }
  }

  /** Changes the record, and waits for the broker as long as it is away: the work is done and must not be done again. */
  async #write(name: string, change: (record: PackedRecord) => PackedRecord): ReturnType<DatasetRecords["change"]> {
    for (let waitMs = 500; ; waitMs = Math.min(10_000, 2 * waitMs)) {
      try {
        return await this.#dependencies.records.change(name, change);
      } catch (error) {
        if (!(error instanceof PretrainError) || error.status !== "UNAVAILABLE") throw error;
        this.#dependencies.log.warn(
          { dataset: name, waitMs, reason: error.message },
          "the record cannot be written yet",
        );
        await pause(waitMs, undefined, { signal: this.#stop.signal });
      }
    }
  }
}
