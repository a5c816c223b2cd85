/** A whole run: a reference that nothing happens to, rounds of faults, rest, and the verdict. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@pretrain/testing";
import type { FlipCounts } from "./byte-flips/flip-bytes.ts";
import {
  evidenceAtRest,
  hasEnded,
  isAtRest,
  isRecorded,
  startTrial,
  stateOf,
  type Trial,
} from "./experiments-on-trial.ts";
import { type FaultName, faults } from "./faults.ts";
import type { Evidence } from "./oracle/evidence.ts";
import { type Findings, findings } from "./oracle/findings.ts";
import { spooledRecords } from "./oracle/spooled-records.ts";
import { strayFiles } from "./oracle/stray-files.ts";
import type { Round } from "./plan.ts";
import type { PowerCutCounts } from "./power-cuts/power-cuts.ts";
import { type ChaosSystem, spoolFolders, startChaosSystem } from "./system/chaos-system.ts";
import { Wire } from "./system/wire.ts";

export interface Outcome {
  /** Rounds whose fault struck, by kind. */
  readonly struck: ReadonlyMap<FaultName, number>;
  /** Rounds whose fault found nobody to strike. */
  readonly missed: number;
  readonly experiments: number;
  /** Events whose acknowledgement was heard. */
  readonly acknowledged: number;
  /** Checkpoints whose every byte was compared. */
  readonly checkpoints: number;
  readonly evaluations: number;
  readonly attempts: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly unequal: readonly string[];
  readonly broken: readonly string[];
  /** By what the flipped file is. */
  readonly flips: ReadonlyMap<string, FlipCounts>;
  readonly powerCuts: PowerCutCounts;
}

/** Of a run that did nothing. */
export const noOutcome: Outcome = {
  struck: new Map(),
  missed: 0,
  experiments: 0,
  acknowledged: 0,
  checkpoints: 0,
  evaluations: 0,
  attempts: 0,
  lost: [],
  doubled: [],
  unequal: [],
  broken: [],
  flips: new Map(),
  powerCuts: { cuts: 0, acknowledged: 0, lost: [] },
};

/** After a fault somebody must publish something, or an experiment end, within so long. */
const stillnessMs = 180_000;
const settleMs = 60_000;
/** Experiments that have not come to rest while others run. */
const mostWaiting = 20;

/** @param folder an empty one, for all that the run writes  @param say hears a line now and then */
export async function runChaos(
  folder: string,
  plan: readonly Round<FaultName>[],
  say: (line: string) => void,
): Promise<Outcome> {
  const run = new Run(await startChaosSystem(folder), say);
  try {
    await run.refer();
    for (const round of plan) await run.perform(round);
    await run.rest();
  } finally {
    await run.end();
  }
  return run.outcome();
}

class Run {
  readonly #system: ChaosSystem;
  readonly #wire = new Wire();
  readonly #say: (line: string) => void;
  readonly #struck = new Map<FaultName, number>();
  readonly #found: Findings[] = [];
  readonly #broken: string[] = [];
  readonly #ended = new Set<string>();
  #missed = 0;
  #trials: Trial[] = [];
  #judged = 0;
  #checked = { checkpoints: 0, evaluations: 0, attempts: 0 };
  #listensAt = "";
  #reference: Evidence | undefined;

  constructor(system: ChaosSystem, say: (line: string) => void) {
    this.#system = system;
    this.#say = say;
  }

  /** The run that nothing happens to. It is judged by the same rules, against itself. */
  async refer(): Promise<void> {
    await this.#listen();
    const trial = await startTrial(this.#system, "reference");
    this.#reference = await evidenceAtRest(this.#system, this.#wire, trial);
    this.#judge(this.#reference);
    this.#say(`reference: ${this.#reference.ledger.length} events, ${this.#reference.checkpoints.length} checkpoints`);
  }

  async perform(round: Round<FaultName>): Promise<void> {
    const trial = await this.#moment(round);
    const fault = faults[round.fault];
    const field = {
      system: this.#system,
      wire: this.#wire,
      trial,
      add: (another: Trial) => void this.#trials.push(another),
      rollBack: () => this.#rollBack(),
      recorded: () => this.#recorded(),
    };
    const didStrike = await fault(field, round);
    if (didStrike) this.#struck.set(round.fault, (this.#struck.get(round.fault) ?? 0) + 1);
    else this.#missed += 1;
    await this.#listen();
    this.#say(`round ${round.number}: ${round.fault} ${didStrike ? `struck ${trial.id}` : "found nobody"}`);
    await this.#judgeThoseAtRest();
  }

  /** Nothing more happens: everything must come to its end by itself. */
  async rest(): Promise<void> {
    while (this.#trials.length > 0) await this.#judgeOldest();
    const spooled = () =>
      spoolFolders.reduce((sum, folder) => sum + spooledRecords(join(this.#system.state, folder)), 0);
    await until(() => spooled() === 0, { timeoutMs: settleMs }).catch(() => {
      this.#broken.push(`${spooled()} events are still in a spool`);
    });
    // A hold on a checkpoint is given back by the next sweep, if its holder died before it could; what stays is found at the end.
    const isSwept = () => strayFiles(this.#system.state).length === 0;
    await until(isSwept, { timeoutMs: settleMs }).catch(() => undefined);
  }

  async end(): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
    await this.#system[Symbol.asyncDispose]();
    await until(() => this.#system.processes().length === 0, { timeoutMs: settleMs }).catch(() => undefined);
    this.#broken.push(...this.#system.processes().map(({ pid, command }) => `process ${pid} is left: ${command}`));
    this.#broken.push(...strayFiles(this.#system.state).map((file) => `a file is left: ${file}`));
  }

  outcome(): Outcome {
    const all = (kind: keyof Findings) => this.#found.flatMap((found) => found[kind]);
    return {
      ...noOutcome,
      struck: this.#struck,
      missed: this.#missed,
      experiments: this.#judged,
      acknowledged: this.#wire.acknowledged.size,
      ...this.#checked,
      lost: all("lost"),
      doubled: all("doubled"),
      unequal: all("unequal"),
      broken: [...all("broken"), ...this.#broken],
    };
  }

  /** Waits for the round's moment. @returns the experiment that runs then */
  async #moment({ number, awaitsCheckpoint, afterEvents, delayMs }: Round): Promise<Trial> {
    let trial = await this.#running(number);
    const kinds = [...(awaitsCheckpoint ? ["checkpoint"] : []), ...Array<string>(afterEvents).fill("")];
    for (const kind of kinds) {
      if (await this.#heard(trial, kind)) continue;
      trial = await this.#running(number);
      break; // the experiment has ended: the moment is the beginning of the next one
    }
    await pause(delayMs);
    return trial;
  }

  /** The newest experiment that has not ended, or a new one. */
  async #running(number: number): Promise<Trial> {
    for (const trial of this.#trials.toReversed()) {
      if (this.#ended.has(trial.id)) continue;
      if (!hasEnded(await this.#stateOf(trial))) return trial;
      this.#ended.add(trial.id);
    }
    const trial = await startTrial(this.#system, `round-${number}`);
    this.#trials.push(trial);
    return trial;
  }

  /** Resolves when an event of the experiment was published, of `kind` if that is not empty. False when it has ended. */
  async #heard(trial: Trial, kind: string): Promise<boolean> {
    const startedMs = performance.now();
    while (performance.now() - startedMs < stillnessMs) {
      const isMeant = (event: { experiment: string; kind: string }) =>
        event.experiment === trial.id && (kind === "" || event.kind === kind);
      const heard = await this.#wire.next(isMeant, AbortSignal.timeout(1_000)).catch(() => undefined);
      if (heard !== undefined) return true;
      if (hasEnded(await this.#stateOf(trial))) return false;
    }
    const { state, message } = await this.#stateOf(trial);
    throw new Error(
      `nothing moves: ${trial.id} is in state ${state} (${message}) and no ${kind || "event"} came in ${stillnessMs / 1000} s`,
    );
  }

  #stateOf(trial: Trial) {
    return until(() => stateOf(this.#system, trial), { timeoutMs: stillnessMs });
  }

  async #listen(): Promise<void> {
    if (this.#listensAt === this.#system.brokerUrl) return;
    this.#listensAt = this.#system.brokerUrl;
    await this.#wire.listen(this.#listensAt);
  }

  #rollBack(): void {
    for (const trial of this.#trials) trial.isRolledBack = true;
  }

  /** Resolves when everything that was acknowledged is in the ledger. */
  async #recorded(): Promise<void> {
    const experiments = () => new Set([...this.#wire.acknowledged].map((id) => id.split("/")[1] ?? ""));
    const areRecorded = () => [...experiments()].every((each) => isRecorded(this.#system, this.#wire, each));
    await until(areRecorded, { timeoutMs: stillnessMs });
  }

  /** Nobody waits for them, unless they are too many. */
  async #judgeThoseAtRest(): Promise<void> {
    const [oldest, next] = this.#trials;
    if (oldest === undefined || next === undefined) return; // the newest one runs
    const isOver = await isAtRest(this.#system, this.#wire, oldest).catch(() => false);
    if (isOver || this.#trials.length > mostWaiting) await this.#judgeOldest();
  }

  async #judgeOldest(): Promise<void> {
    const trial = this.#trials.shift();
    if (trial !== undefined) this.#judge(await evidenceAtRest(this.#system, this.#wire, trial));
  }

  #judge(evidence: Evidence): void {
    const found = findings(evidence, this.#reference ?? evidence);
    this.#found.push(found);
    this.#judged += 1;
    this.#checked = {
      checkpoints: this.#checked.checkpoints + evidence.checkpoints.length,
      evaluations: this.#checked.evaluations + evidence.ledger.filter(({ kind }) => kind === "evaluation").length,
      attempts: this.#checked.attempts + evidence.nonces.size,
    };
    const faultsFound = Object.values(found).flat();
    for (const line of faultsFound.slice(0, 10)) this.#say(`FOUND  ${line}`);
    this.#say(
      `${evidence.experiment}: ${evidence.nonces.size} attempts, ${faultsFound.length === 0 ? "equal" : `${faultsFound.length} findings`}`,
    );
  }
}
