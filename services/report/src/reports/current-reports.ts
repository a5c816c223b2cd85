/** The records as they stand now, built from the ledger when they are asked for and kept until the ledger changes. */
import type { Report } from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { reportOfLedger } from "./report-of-ledger.ts";

interface Kept {
  readonly report: Report;
  readonly builtAtMs: number;
  readonly buildMs: number;
  isCurrent: boolean;
}

/** About 0.2 MB each; the least recently used one goes first. */
const maximumKept = 100;
/** A record that takes no longer is built whenever it is asked for. */
const cheapMs = 50;
/** Of a longer one somebody who only looks on sees what is at most so many times as old as building it takes: 5 % of one core. */
const restAfterBuild = 20;

export class CurrentReports {
  readonly #ledger: Ledger;
  readonly #nowMs: () => number;
  readonly #kept = new Map<string, Kept>();

  /** @param nowMs a clock that only runs forwards */
  constructor(ledger: Ledger, nowMs: () => number) {
    this.#ledger = ledger;
    this.#nowMs = nowMs;
  }

  /** The ledger has changed for these experiments. */
  changed(experiments: Iterable<string>): void {
    for (const experiment of experiments) {
      const kept = this.#kept.get(experiment);
      if (kept !== undefined) kept.isCurrent = false;
    }
  }

  /** With everything that the ledger holds. Undefined when it holds nothing of that experiment. */
  current(experiment: string): Report | undefined {
    const kept = this.#kept.get(experiment);
    return kept?.isCurrent ? this.#used(experiment, kept) : this.#build(experiment);
  }

  /** Perhaps a little behind: of a long run that goes on, building after every event would take the processor from it. */
  recent(experiment: string): Report | undefined {
    const kept = this.#kept.get(experiment);
    const mayRest = kept && kept.buildMs > cheapMs && this.#nowMs() < kept.builtAtMs + restAfterBuild * kept.buildMs;
    return mayRest ? this.#used(experiment, kept) : this.current(experiment);
  }

  #build(experiment: string): Report | undefined {
    const startMs = this.#nowMs();
    const report = reportOfLedger(this.#ledger, experiment);
    if (report === undefined) return undefined;
    const builtAtMs = this.#nowMs();
    return this.#used(experiment, { report, builtAtMs, buildMs: builtAtMs - startMs, isCurrent: true });
  }

  /** Moves to the end of the map, whose first entry is then the least recently used. */
  #used(experiment: string, kept: Kept): Report {
    this.#kept.delete(experiment);
    this.#kept.set(experiment, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maximumKept && oldest !== undefined) this.#kept.delete(oldest);
    return kept.report;
  }
}
