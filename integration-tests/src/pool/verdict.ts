/** What a run of the pool has shown, as one line for a program. */
import type { NodeFault } from "./cluster.ts";

export interface Outcome {
  readonly experiments: number;
  readonly completed: number;
  readonly struck: ReadonlyMap<NodeFault, number>;
  /** Jobs made by the scaler, and pods started for them. */
  readonly jobs: number;
  readonly pods: number;
  /** Pods that found their node's GPU taken, and ended at once. */
  readonly refused: number;
  /** Pods that ended otherwise than well, nodes' faults set aside. */
  readonly failed: number;
  /** Nodes that had a pod at one time. */
  readonly mostPods: number;
  /** What was left when everything had ended. */
  readonly left: { readonly jobs: number; readonly workers: number };
  /** How often it was looked for two workers on one GPU. */
  readonly looks: number;
  readonly attempts: number;
  readonly evaluations: number;
  readonly checkpoints: number;
  /** Steps that were computed again behind the last checkpoint of a worker that was lost. */
  readonly recomputedSteps: number;
  /** Sentences that say what is wrong, of each kind. */
  readonly wrong: Readonly<Record<"lost" | "doubled" | "unequal" | "broken" | "twoOnOneGpu", readonly string[]>>;
  readonly tookMs: number;
}

export function isKept({ experiments, completed, left, wrong }: Outcome): boolean {
  return completed === experiments && left.jobs + left.workers === 0 && Object.values(wrong).flat().length === 0;
}

export function summary({ struck, left, looks, wrong, tookMs, ...counted }: Outcome, seed: string) {
  const { recomputedSteps, mostPods, ...counts } = counted;
  return {
    seed,
    ...counts,
    faults: Object.fromEntries(struck),
    max_workers: mostPods,
    two_on_one_gpu: wrong.twoOnOneGpu.length,
    looks_at_gpus: looks,
    workers_left: left.workers + left.jobs,
    recomputed_steps: recomputedSteps,
    lost: wrong.lost.length,
    doubled: wrong.doubled.length,
    bit_equal: wrong.unequal.length === 0,
    broken: wrong.broken.length,
    seconds: Math.round(tookMs / 1000),
  };
}
