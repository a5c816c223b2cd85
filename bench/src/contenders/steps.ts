/** What both of our ways to train have in common here. */
import type { OptimizerSettings } from "@pretrain/optim";
import type { Config, Round, Training } from "../protocol.ts";
import { type Served, timed } from "./serve.ts";

export interface Taken {
  /** Nats per token. */
  readonly loss: number;
  readonly gradient_norm: number;
}

export const lossRule = "micro_mean";

export function optimizerSettings(training: Training): OptimizerSettings {
  const { beta1, beta2, epsilon, weight_decay: weightDecay, max_gradient_norm: maxGradientNorm } = training;
  return { adamW: { beta1, beta2, epsilon, weightDecay, decayOn: "matrices" }, maxGradientNorm };
}

/** @param step one optimizer step, with the next rows of the text */
export async function servedSteps(config: Config, version: string, step: () => Taken): Promise<Served> {
  const first = step();
  const steps = (count: number) => {
    let last = step();
    for (let taken = 1; taken < count; taken += 1) last = step();
    return last;
  };
  const { seconds } = await timed(() => steps(config.warm_up - 1));
  const run = async (units: number): Promise<Round> => {
    const { seconds: duration, value } = await timed(() => steps(units));
    return { seconds: duration, tokens: units * config.rows * config.sequence, loss: value.loss };
  };
  return { ready: { version, seconds: seconds / (config.warm_up - 1), ...first }, run };
}
