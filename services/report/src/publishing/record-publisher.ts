/**
 * Writes the record of every experiment that is over, and announces it, once for each content. It remembers nothing: what is
 * still to be done follows from the ledger and the blob store, so that after a crash it is simply done.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { BlobStore } from "@pretrain/blobs";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import type { Report, ReportWritten } from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readiness } from "../record/readiness.ts";
import { recordJson, recordSha256, renderRecord } from "../rendering/render-record.ts";
import type { CurrentReports } from "../reports/current-reports.ts";
import { hasEnded, isAnnounced, knownExperiments } from "../reports/known-experiments.ts";
import { recordBlobs, reportWritten, writeRecord } from "./write-record.ts";

export interface PublisherOptions {
  readonly ledger: Ledger;
  readonly reports: CurrentReports;
  readonly blobs: BlobStore;
  /** Resolves when the broker has it. */
  readonly announce: (written: ReportWritten) => Promise<unknown>;
  readonly log: Log;
  /** What stands in the announcement as its time. */
  readonly now: () => Date;
  /** A clock that only runs forwards, in milliseconds: what is waited for must not come sooner or later when the date jumps. */
  readonly nowMs: () => number;
  /** How long nothing must have come before a record is written: its chain holds every event, so one that comes later makes another. */
  readonly settleMs: number;
  /** How long, when something is missing. */
  readonly quietMs: number;
}

/** Between two attempts to write or announce what could not be. */
const retryMs = 5000;
const allOfThem = 1_000_000;
/** Between two looks whether everything is written, for somebody who waits for it. */
const waitMs = 50;

/** When an experiment is looked at next, and since when nothing has come for it; by the clock that only runs forwards. */
interface Pending {
  readonly dueMs: number;
  readonly changedMs: number;
}

export class RecordPublisher implements AsyncDisposable {
  readonly #options: PublisherOptions;
  readonly #pending = new Map<string, Pending>();
  /** Digest of the record of each experiment that was announced last: its event is on the way, or in the ledger. */
  readonly #announced = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Looks at every experiment of the ledger: what an earlier process left undone is done. */
  start(): void {
    this.changed(knownExperiments(this.#options.ledger, allOfThem));
  }

  /** The ledger has changed for these experiments. */
  changed(experiments: Iterable<string>): void {
    const nowMs = this.#options.nowMs();
    for (const experiment of experiments) this.#pending.set(experiment, { dueMs: nowMs, changedMs: nowMs });
    this.#schedule();
  }

  /** Resolves when nothing of this experiment is about to be written or announced, at the latest after `limitMs`. */
  async settled(experiment: string, limitMs: number): Promise<void> {
    const { nowMs } = this.#options;
    const endMs = nowMs() + limitMs;
    while (this.#isBusyWith(experiment) && nowMs() < endMs && !this.#isStopped) await pause(waitMs);
  }

  #isBusyWith(experiment: string): boolean {
    const announced = this.#announced.get(experiment);
    const isOnItsWay = announced !== undefined && !isAnnounced(this.#options.ledger, experiment, announced);
    return this.#pending.has(experiment) || isOnItsWay;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  /** One round at a time; the next one at the earliest time that something is due. */
  #schedule(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#pending.size === 0) return;
    const earliestMs = Math.min(...[...this.#pending.values()].map(({ dueMs }) => dueMs));
    this.#timer = setTimeout(
      () => {
        this.#working = this.#round().finally(() => {
          this.#timer = undefined;
          this.#schedule();
        });
      },
      Math.max(0, earliestMs - this.#options.nowMs()),
    );
  }

  async #round(): Promise<void> {
    for (const [experiment, pending] of this.#pending) {
      if (this.#isStopped || pending.dueMs > this.#options.nowMs()) continue;
      const next = await this.#lookAt(experiment, pending);
      // What has changed meanwhile is due already, and stays so.
      if (this.#pending.get(experiment) !== pending) continue;
      if (next === undefined) this.#pending.delete(experiment);
      else this.#pending.set(experiment, { ...pending, dueMs: next });
    }
  }

  /** @returns when to look again; undefined: when something changes */
  async #lookAt(experiment: string, { changedMs }: Pending): Promise<number | undefined> {
    const { ledger, reports, settleMs, quietMs, log, nowMs } = this.#options;
    if (!hasEnded(ledger, experiment)) return undefined;
    if (nowMs() < changedMs + settleMs) return changedMs + settleMs;
    const report = reports.current(experiment);
    const ready = report === undefined ? "open" : readiness(report);
    if (report === undefined || ready === "open") return undefined;
    if (ready === "over" && nowMs() < changedMs + quietMs) return changedMs + quietMs;
    try {
      await this.#publish(experiment, report);
      return undefined;
    } catch (error) {
      log.warn({ experiment, reason: messageOf(error) }, "the record could not be written; tried again");
      return nowMs() + retryMs;
    }
  }

  async #publish(experiment: string, report: Report): Promise<void> {
    const { ledger, blobs, announce, log, now } = this.#options;
    const isWritten = (await blobs.stat(recordBlobs(experiment).json)) !== undefined;
    if (isWritten && isAnnounced(ledger, experiment, recordSha256(recordJson(report)))) return;
    const record = renderRecord(report);
    await writeRecord(blobs, experiment, record);
    await announce(reportWritten(experiment, report, record.sha256, now()));
    this.#announced.set(experiment, record.sha256);
    log.info({ experiment, sha256: record.sha256 }, "record written");
  }
}
