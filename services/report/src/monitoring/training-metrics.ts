/**
 * What Prometheus learns of training: from the ledger, when somebody asks. A step costs nothing more for it, whoever computes; and what
 * is shown of an experiment is right again after a restart of any service. Counts begin at 0 with this process, as counters may.
 */
import { setImmediate as pause } from "node:timers/promises";
import type { Metrics } from "@pretrain/observability";
import { Experiment_Reason as Reason } from "@pretrain/proto";
import { idOfExperimentName } from "@pretrain/recipe";
import type { Ledger } from "../ledger/open-ledger.ts";
import { ActiveExperiments, type Standing } from "./active-experiments.ts";
import { type ComputedStep, type NewFacts, newestPosition, readNewFacts } from "./new-facts.ts";

/** Experiments that are shown by name at once; so many series has each metric at most. */
const shownAtOnce = 50;
/** Positions looked at in one go, about 20 ms: the page and the calls are answered in between. */
const lookedAtOnce = 5_000;
/** The experiment of what was computed for one that is not shown. */
const others = "";

const stepBucketsSeconds = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 120];
const checkpointBucketsSeconds = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300];

export class TrainingMetrics {
  readonly #ledger: Ledger;
  readonly #active: ActiveExperiments;
  readonly #counts: ReturnType<typeof countsOf>;
  readonly #gauges: ReturnType<typeof gaugesOf>;
  readonly #metrics: Metrics;
  #position: number;
  #shown: ReadonlySet<string>;
  #looking: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, metrics: Metrics) {
    [this.#ledger, this.#metrics, this.#position] = [ledger, metrics, newestPosition(ledger)];
    this.#active = new ActiveExperiments(ledger, shownAtOnce);
    this.#shown = this.#active.shown();
    this.#counts = countsOf(metrics);
    this.#gauges = gaugesOf(metrics);
  }

  /** Brings everything up to the ledger. Two who ask at once wait for one look after the other. */
  look(): Promise<void> {
    this.#looking = this.#looking.catch(() => undefined).then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    while (this.#position < newestPosition(this.#ledger)) {
      const facts = readNewFacts(this.#ledger, this.#position, lookedAtOnce);
      this.#count(facts);
      this.#position = facts.position;
      await pause();
    }
    const shown = this.#active.shown();
    for (const experiment of this.#shown) if (!shown.has(experiment)) this.#drop(experiment);
    this.#shown = shown;
    for (const experiment of shown) this.#show(experiment, this.#active.standing(experiment));
  }

  #count({ steps, transitions, checkpoints }: NewFacts): void {
    const { stepsDone, tokensDone, stepSeconds, saveSeconds, leasesLost } = this.#counts;
    for (const [experiment, ofIt] of Map.groupBy(steps, (step) => this.#labelOf(step))) {
      stepsDone({ experiment }, ofIt.length);
      tokensDone(
        { experiment },
        ofIt.reduce((sum, { tokens }) => sum + tokens, 0),
      );
    }
    for (const step of steps) for (const [phase, ms] of phasesOf(step)) stepSeconds(ms / 1000, { phase });
    for (const { writeSeconds } of checkpoints) saveSeconds(writeSeconds);
    for (const transition of transitions) {
      this.#active.changed(idOfExperimentName(transition.experiment));
      if (transition.reason === Reason.LEASE_LOST) leasesLost();
    }
  }

  #labelOf({ experiment }: ComputedStep): string {
    return this.#shown.has(experiment) ? experiment : others;
  }

  #show(experiment: string, standing: Standing): void {
    const values = {
      [gaugeNames.running]: standing.isRunning ? 1 : 0,
      [gaugeNames.loss]: standing.loss,
      [gaugeNames.microSteps]: standing.microSteps,
      [gaugeNames.plannedMicroSteps]: standing.plannedMicroSteps,
      [gaugeNames.lastProgress]: standing.lastProgressSeconds,
      [gaugeNames.checkpointBytes]: standing.checkpointBytes,
    };
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) this.#metrics.drop(name, { experiment });
      else this.#gauges.get(name)?.(value, { experiment });
    }
  }

  #drop(experiment: string): void {
    for (const name of [...Object.values(gaugeNames), ...Object.values(countNames)])
      this.#metrics.drop(name, { experiment });
  }
}

const countNames = { steps: "pretrain_train_steps_total", tokens: "pretrain_train_tokens_total" } as const;

const gaugeNames = {
  running: "pretrain_train_running",
  loss: "pretrain_train_loss",
  microSteps: "pretrain_train_micro_steps",
  plannedMicroSteps: "pretrain_train_planned_micro_steps",
  lastProgress: "pretrain_train_last_progress_timestamp_seconds",
  checkpointBytes: "pretrain_checkpoint_bytes",
} as const;

function countsOf({ counter, histogram }: Metrics) {
  const help = "Where the time of micro-steps went; all of it is the phase total.";
  return {
    stepsDone: counter(countNames.steps, "Micro-steps computed.", ["experiment"]),
    tokensDone: counter(countNames.tokens, "Real tokens trained on, padding not.", ["experiment"]),
    stepSeconds: histogram("pretrain_train_step_duration_seconds", help, stepBucketsSeconds, ["phase"]),
    saveSeconds: histogram(
      "pretrain_checkpoint_save_duration_seconds",
      "What writing a checkpoint took.",
      checkpointBucketsSeconds,
    ),
    leasesLost: counter("pretrain_lease_lost_total", "Attempts that ended since the lease of their worker ran out."),
  };
}

function gaugesOf({ gauge }: Metrics) {
  const helps = {
    [gaugeNames.running]: "1 while the experiment is RUNNING, else 0.",
    [gaugeNames.loss]: "Loss of the last micro-step, in nats per token.",
    [gaugeNames.microSteps]: "Number of the last micro-step.",
    [gaugeNames.plannedMicroSteps]: "Micro-steps of the whole run.",
    [gaugeNames.lastProgress]: "When the last micro-step ended or the state changed.",
    [gaugeNames.checkpointBytes]: "Size of the last checkpoint.",
  };
  return new Map(Object.entries(helps).map(([name, help]) => [name, gauge(name, help, ["experiment"])]));
}

function phasesOf({ dataMs, forwardBackwardMs, optimizerMs, otherMs, totalMs }: ComputedStep) {
  return [
    ["data", dataMs],
    ["forward_backward", forwardBackwardMs],
    ["optimizer", optimizerMs],
    ["other", otherMs],
    ["total", totalMs],
  ] as const;
}
