/**
 * What the harness and a contender say to each other: one JSON object a line, one answer to each.
 *
 *     {"prepare": {…}}   →  {"ready": {…}}             builds the model, warms up, checks nothing in
 *     {"run": n}         →  {"seconds": …, …}          n units of work, timed by the contender itself
 *     {"end": true}      →  {"peak_rss_mib": …}        and the contender ends
 *
 * A contender that fails writes why on stderr and ends.
 */
import type { Model } from "./workload.ts";

export type Precision = "float32" | "bfloat16";

/** What a contender is to do. It makes weights and tokens itself, by the rule in hashed.ts and peers/hashed.py. */
export interface Config {
  readonly model: Model;
  readonly precision: Precision;
  readonly threads: number;
  /** Which of the ways that a contender knows: "eager", "compiled", a batch size. */
  readonly variant: string;
  /** Units of work before the first that is timed; at least 2: the first one's numbers are reported, the last one's time. */
  readonly warm_up: number;
  /** Rows of a step, or of a matrix product together with `sequence`. */
  readonly rows: number;
  readonly sequence: number;
  /** Of a step, how many rows our traced one computes at once; the rest of a batch follows in further groups. */
  readonly rows_at_once: number;
  /** For `step`. */
  readonly training: Training;
  /** For `score`: tokens of each row of the validation file. */
  readonly row_lengths: readonly number[];
  /** For `generate`. */
  readonly prompt_length: number;
  readonly new_tokens: number;
}

export interface Training {
  readonly learning_rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weight_decay: number;
  readonly max_gradient_norm: number;
}

export interface Ready {
  readonly version: string;
  /** Of the last unit of work of the warm-up. */
  readonly seconds: number;
  /** Resident memory before `prepare`: the program and its libraries. */
  readonly loaded_rss_mib: number;
  /** Nats per token of the first unit of work; `generate` has none. */
  readonly loss?: number;
  /** Before clipping, in float64 where the contender's own float32 norm is off; `step` only. */
  readonly gradient_norm?: number;
  /** Token ids of the first continuation; `generate` only. */
  readonly generated?: readonly number[];
}

export interface Round {
  readonly seconds: number;
  readonly tokens: number;
  /** Of the last unit of work of the round. */
  readonly loss?: number;
  /** Speed of each product or pass that a measurement of the machine knows, in 1e9 a second. */
  readonly giga_per_second?: Readonly<Record<string, number>>;
}

export interface Ended {
  readonly peak_rss_mib: number;
}

export type Request = { readonly prepare: Config } | { readonly run: number } | { readonly end: true };
