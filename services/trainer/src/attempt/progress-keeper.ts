/** Writes how far an attempt is into the record, every few seconds and not at every step. */
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { type Experiment, type Progress, ProgressSchema } from "@pretrain/proto";
import { isHeld } from "../experiment/lifecycle.ts";
import { ProgressMeter } from "../experiment/progress-meter.ts";
import { experimentOf, withFields } from "../experiment/record.ts";
import type { StepPlan } from "../experiment/step-plan.ts";
import { epochOf, optimizerStepsAfter, totals } from "../experiment/step-plan.ts";
import type { Experiments } from "../stores/experiments.ts";
import type { Step } from "../worker/protocol.ts";
import type { RightToWrite } from "./right-to-write.ts";

const intervalMs = 2_000;

export class ProgressKeeper {
  readonly #plan: StepPlan;
  readonly #meter = new ProgressMeter();
  #progress: Progress;

  /** @param microStep done before */
  constructor(plan: StepPlan, microStep: number) {
    this.#plan = plan;
    const { microSteps, optimizerSteps } = totals(plan);
    this.#progress = create(ProgressSchema, {
      microStep: BigInt(microStep),
      totalMicroSteps: BigInt(microSteps),
      optimizerStep: BigInt(optimizerStepsAfter(plan, microStep)),
      totalOptimizerSteps: BigInt(optimizerSteps),
      epoch: epochOf(plan, Math.max(1, microStep)),
      epochs: plan.epochs,
    });
  }

  get progress(): Progress {
    return this.#progress;
  }

  add(step: Step): void {
    this.#meter.add({ durationMs: step.times.totalMs, tokens: step.tokens });
    const { microSteps } = totals(this.#plan);
    const pace = this.#meter.pace(microSteps - step.microStep);
    this.#progress = create(ProgressSchema, {
      ...this.#progress,
      microStep: BigInt(step.microStep),
      optimizerStep: BigInt(step.optimizerStep),
      epoch: step.epoch,
      ...(step.lossTokens > 0 && { lossNatsPerToken: step.lossNats / step.lossTokens }),
      ...pace,
    });
  }

  /** Keeps the record's progress at most two seconds behind, until `signal`. A broker that is away is asked again. */
  async keep(
    { experiments, log }: { readonly experiments: Experiments; readonly log: Log },
    { id, attempt }: { readonly id: string; readonly attempt: number },
    right: Pick<RightToWrite, "check">,
    signal: AbortSignal,
  ): Promise<void> {
    let written = this.#progress;
    while (!signal.aborted) {
      await pause(intervalMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || written === this.#progress) continue;
      const progress = this.#progress;
      try {
        await right.check();
        await experiments.change(id, ({ value }) =>
          isOurs(experimentOf(value), attempt) ? withFields(value, { progress }) : undefined,
        );
        written = progress;
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "progress is written later");
      }
    }
  }
}

function isOurs({ attempt, state }: Experiment, ours: number): boolean {
  return attempt === ours && isHeld(state);
}
