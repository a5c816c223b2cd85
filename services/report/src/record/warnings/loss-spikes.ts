/**
 * SPIKE: a loss far above the level before it. The level is the mean of the last 1,000 losses, its unit their standard deviation; what
 * lies above the bound is not learned as level, so that a long spike does not hide itself.
 *
 *     loss  ─╲╱─╲╱─╲╱╲ ── level, 7 deviations ── ▲▲▲ ─╲╱─╲╱
 *                                              first…last, `value` the highest
 *
 * Seven deviations over a rolling 1,000 values are the spike score of OLMo 2 (arXiv 2501.00656, section on stability); by
 * chance a normally spread loss gets there once in 10^12 steps. A micro-step with fewer targets than the others, such as an epoch's last,
 * is noisier by the root of how many fewer, and its bound as much higher.
 */
import type { Step } from "../history.ts";
import { lossOf, type StepReader } from "../step-reader.ts";
import { RecentLosses } from "./recent-losses.ts";

export interface LossSpike {
  readonly firstMicroStep: number;
  lastMicroStep: number;
  /** In standard deviations of the level before. */
  height: number;
}

export const spikeBound = 7;
/** And by this share of the level: where losses hardly differ, a few deviations are nothing to look at. */
export const spikeShare = 0.02;
/** Losses that make a level. */
const fewestLosses = 100;
/** After so many micro-steps above the bound it is no spike but the new level; whether that is too high, another rule says. */
export const longestSpike = 1000;
/** The highest ones; a run with more has a hundred reasons to be looked at already. */
const maximumSpikes = 20;

export class LossSpikes implements StepReader {
  readonly #level = new RecentLosses();
  #spikes: LossSpike[] = [];
  #current: LossSpike | undefined;
  #stepsAbove = 0;

  read(step: Step): void {
    const loss = lossOf(step);
    if (loss === undefined || !Number.isFinite(loss)) return;
    const height = this.#heightOf(loss, step.lossTokens);
    if (height === undefined) this.#comeBack(loss, step.lossTokens);
    else this.#rise(step.microStep, height);
  }

  /** Those that came back, and one that lasts, by micro-step. */
  get spikes(): readonly LossSpike[] {
    const lasting = this.#current === undefined ? [] : [this.#current];
    return [...this.#spikes, ...lasting].sort((a, b) => a.firstMicroStep - b.firstMicroStep);
  }

  /** Undefined when it is not above the bound. */
  #heightOf(loss: number, tokens: number): number | undefined {
    const { count, mean, deviation, meanTokens } = this.#level;
    if (count < fewestLosses || loss - mean <= spikeShare * Math.abs(mean)) return undefined;
    const unit = deviation * Math.sqrt(Math.max(1, meanTokens / tokens));
    const height = (loss - mean) / Math.max(unit, Number.EPSILON * Math.abs(mean));
    return height > spikeBound ? height : undefined;
  }

  #rise(microStep: number, height: number): void {
    this.#current ??= { firstMicroStep: microStep, lastMicroStep: microStep, height };
    this.#current.lastMicroStep = microStep;
    this.#current.height = Math.max(this.#current.height, height);
    this.#stepsAbove += 1;
    if (this.#stepsAbove < longestSpike) return;
    this.#level.clear();
    this.#current = undefined;
    this.#stepsAbove = 0;
  }

  #comeBack(loss: number, tokens: number): void {
    this.#level.add(loss, tokens);
    this.#stepsAbove = 0;
    if (this.#current === undefined) return;
    this.#spikes.push(this.#current);
    this.#current = undefined;
    if (this.#spikes.length <= maximumSpikes) return;
    const lowest = this.#spikes.reduce((low, spike) => (spike.height < low.height ? spike : low));
    this.#spikes = this.#spikes.filter((spike) => spike !== lowest);
  }
}
