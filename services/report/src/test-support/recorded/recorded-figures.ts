/** Test support: the figures of experiment 1.4.0 as its record tells them, and nothing that it does not tell. */

/** `record_arithmetic.json`, as far as it is needed here. */
export interface RecordArithmetic {
  readonly perplexity: readonly { readonly loss: number; readonly ppl: number }[];
  readonly reduction_percent: readonly { readonly from: number; readonly to: number; readonly percent: number }[];
  readonly quality_mean: { readonly mean: number };
  readonly gpu_memory_utilisation_percent: { readonly percent: number };
  readonly wall_time: { readonly seconds: number };
  readonly steps: {
    readonly per_epoch: number;
    readonly epochs: number;
    readonly total: number;
    readonly optimizer_steps_counted_over_the_run: number;
    readonly seconds_per_epoch_at_241_65_ms?: number;
    readonly tokens_per_micro_step: number;
    readonly tokens_per_second_at_241_65_ms?: number;
  };
}

export const experiment = "experiments/1-4-0";

/** Nats per token: of the first micro-step, where the first two epochs end, the smallest, the last. */
export const firstLoss = 8.9431;
export const firstEpochLoss = 3.5;
export const secondEpochLoss = 2.8;
export const bestLoss = 2.3688;
export const lastLoss = 2.4323;
/** Of the ten samples: with the wrong slice, and with the right one. */
export const mistakenLoss = 12.34;
export const inferenceLoss = 2.26;

/** Milliseconds of a micro-step: at the beginning of the run, and in the mean over all of it. */
export const earlyTimes = { dataMs: 0.33, forwardMs: 73.96, backwardMs: 170.33, totalMs: 246.09 };
export const meanTimes = { dataMs: 0.03, forwardMs: 74.05, backwardMs: 166.43, totalMs: 241.65 };

/** Bytes, from megabytes of 10^6: the record writes 1484.00 MB as 1.48 GB. */
export const memory = {
  allocated: 706_800_000n,
  reserved: 1_484_000_000n,
  resident: 19_592_320_000n,
  device: 24_000_000_000n,
};

/** 15:30:00, 23:54:41 and the moments after it, of 30 and 31 July 2025 in China. */
export const created = Date.UTC(2025, 6, 30, 7, 30, 0);
export const started = Date.UTC(2025, 6, 30, 15, 54, 41);
export const environmentReady = Date.UTC(2025, 6, 30, 15, 54, 43);
export const dataReady = Date.UTC(2025, 6, 30, 15, 54, 48);
export const trainingStarted = Date.UTC(2025, 6, 30, 15, 55, 28);
export const trainingEnded = Date.UTC(2025, 6, 31, 3, 38, 28);
export const ended = Date.UTC(2025, 6, 31, 3, 38, 43);
