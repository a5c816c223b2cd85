/** An experiment's progress in the terminal until it ends: a bar that moves, plain lines where nobody looks, or JSON lines. */
import { toJsonString } from "@bufbuild/protobuf";
import { FailedPrecondition } from "@pretrain/errors";
import {
  type Experiment,
  Experiment_State,
  ExperimentSchema,
  type ReportService,
  type StepMetric,
  StepMetricSchema,
  type TrainerService,
} from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { shortName } from "../resource-names.ts";
import { stateName } from "../state-name.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import { oneLine } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { progressLine } from "./progress-line.ts";
import { StepSummary } from "./step-summary.ts";
import { experimentChanges, ledgerSteps } from "./streams.ts";

export interface Watch {
  readonly trainer: Pick<PretrainClient<typeof TrainerService>, "watchExperiment">;
  readonly reports: Pick<PretrainClient<typeof ReportService>, "watchMetrics">;
  readonly name: string;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** Micro-steps of a line. */
  readonly interval?: number;
}

/** What shows the experiment. */
interface Display {
  experiment(experiment: Experiment): void;
  step(step: StepMetric): void;
  end(): void;
}

const defaultInterval = 10;

/** How long the last micro-steps may take from the trainer into the ledger, in milliseconds. */
const lastStepsPatienceMs = 5000;

/**
 * Shows the experiment until it has ended. Ctrl-C ends the watch, not the experiment.
 *
 * @returns the completed experiment; undefined after Ctrl-C. @throws FailedPrecondition with the recorded reason, when it failed or
 *   was cancelled
 */
export async function watchExperiment(watch: Watch): Promise<Experiment | undefined> {
  const { trainer, reports, name, terminal } = watch;
  const interruption = terminal.interruption();
  const ended = new AbortController();
  const display = displayOf(watch);
  const follower = new StepFollower(display);
  const stepsEnd = AbortSignal.any([interruption, ended.signal]);
  let steps: Promise<void> | undefined;
  let last: Experiment | undefined;
  try {
    const onLost = () => terminal.stderr.write(`the trainer does not answer; watching goes on when it does\n`);
    for await (const experiment of experimentChanges(trainer, name, { signal: interruption, onLost })) {
      last = experiment;
      display.experiment(experiment);
      steps ??= follower.follow(ledgerSteps(reports, name, stepsEnd)); // not before their number is known
    }
    if (!interruption.aborted && last !== undefined && follower.reached > 0n)
      await follower.reach(last.progress?.microStep ?? 0n, lastStepsPatienceMs);
  } finally {
    ended.abort();
    await steps;
    display.end();
  }
  return interruption.aborted ? undefined : completed(name, last);
}

/** What a person is told who has pressed Ctrl-C. */
export function tellWatchStopped(name: string, terminal: Terminal): void {
  const id = shortName(name);
  terminal.stderr.write(
    `stopped watching; ${name} goes on. "pretrain watch ${id}" follows it again, "pretrain cancel ${id}" ends it\n`,
  );
  terminal.exitCode = exitCodes.interrupted;
}

function completed(name: string, experiment: Experiment | undefined): Experiment {
  if (experiment?.state === Experiment_State.COMPLETED) return experiment;
  const state = experiment === undefined ? "UNKNOWN" : stateName(experiment.state);
  throw new FailedPrecondition(
    "EXPERIMENT_NOT_COMPLETED",
    `${name} is ${state}: ${experiment?.message ?? "the watch ended"}`,
    { name, state },
  );
}

/** Hands steps to the display, and knows how far they have come. */
class StepFollower {
  reached = 0n;
  readonly #display: Display;
  #waiting: { readonly microStep: bigint; readonly resolve: () => void } | undefined;

  constructor(display: Display) {
    this.#display = display;
  }

  async follow(steps: AsyncIterable<StepMetric>): Promise<void> {
    for await (const step of steps) {
      this.reached = step.microStep;
      this.#display.step(step);
      if (this.#waiting !== undefined && step.microStep >= this.#waiting.microStep) this.#waiting.resolve();
    }
  }

  /** Resolves when that step has come, and at the latest after so many milliseconds. */
  async reach(microStep: bigint, patienceMs: number): Promise<void> {
    if (this.reached >= microStep) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { microStep, resolve };
    const timer = setTimeout(resolve, patienceMs);
    await promise;
    clearTimeout(timer);
  }
}

function displayOf({ terminal, json, interval = defaultInterval }: Watch): Display {
  if (json) return jsonLines(terminal);
  return terminal.stdout.isTTY === true ? movingBar(terminal) : plainLines(terminal, interval);
}

/** `{"experiment": …}` for each change, `{"step": …}` for each micro-step. */
function jsonLines({ stdout }: Terminal): Display {
  return {
    experiment: (experiment) => stdout.write(`{"experiment":${toJsonString(ExperimentSchema, experiment)}}\n`),
    step: (step) => stdout.write(`{"step":${toJsonString(StepMetricSchema, step)}}\n`),
    end: () => undefined,
  };
}

const frameMs = 100;

function movingBar({ stdout }: Terminal): Display {
  let shownMs = 0;
  const show = (experiment: Experiment) => {
    shownMs = performance.now();
    stdout.write(`\r${progressLine(experiment, stdout.columns ?? 80)}\u001b[K`);
  };
  let last: Experiment | undefined;
  return {
    experiment: (experiment) => show((last = experiment)),
    step: (step) => {
      if (last === undefined || performance.now() - shownMs < frameMs) return;
      const { microStep, epoch } = step;
      const lossNatsPerToken = step.lossNats / Number(step.lossTokens);
      if (last.progress !== undefined) Object.assign(last.progress, { microStep, epoch, lossNatsPerToken });
      show(last);
    },
    end: () => last !== undefined && stdout.write("\n"),
  };
}

/** One line for each state, and one for each interval of micro-steps. */
function plainLines({ stdout }: Terminal, interval: number): Display {
  const summary = new StepSummary(interval);
  let totals = { microSteps: 0n, epochs: 0 };
  let shown = "";
  return {
    experiment: ({ state, attempt, message, progress }) => {
      if (progress !== undefined) totals = { microSteps: progress.totalMicroSteps, epochs: progress.epochs };
      const line = `state: ${stateName(state)} attempt: ${attempt} message: ${oneLine(message)}`.trimEnd();
      if (line !== shown) stdout.write(`${line}\n`);
      shown = line;
    },
    step: (step) => {
      const line = summary.add(step, totals);
      if (line !== undefined) stdout.write(`${line}\n`);
    },
    end: () => undefined,
  };
}
