/** What a person should look at. Each rule with its bound and its reason is in docs/metrics.md. */
import { create } from "@bufbuild/protobuf";
import {
  Warning_Kind as Kind,
  type MemorySample,
  type StateChanged,
  type Warning,
  WarningSchema,
} from "@pretrain/proto";
import type { Step } from "../history.ts";
import { type StepReader } from "../step-reader.ts";
import { clipping, divergence, type Found, plateau, slowData } from "./block-rules.ts";
import { LossSpikes, spikeBound } from "./loss-spikes.ts";
import { memoryGrowth } from "./memory-growth.ts";
import { NotFiniteSteps, notFinite } from "./not-finite.ts";
import { RunBlocks } from "./run-blocks.ts";

/** What the rules need of the steps, in one pass and in bounded memory. */
export class WatchedSteps implements StepReader {
  readonly blocks = new RunBlocks();
  readonly spikes = new LossSpikes();
  readonly notFinite = new NotFiniteSteps();

  read(step: Step): void {
    this.blocks.read(step);
    this.spikes.read(step);
    this.notFinite.read(step);
  }
}

export interface WatchedRun {
  readonly watched: WatchedSteps;
  readonly transitions: readonly StateChanged[];
  /** Accepted samples, by micro-step. */
  readonly memory: readonly MemorySample[];
  /** The last micro-step that there is. */
  readonly lastMicroStep: number;
}

/** By micro-step, then by kind. */
export function warnings({ watched, transitions, memory, lastMicroStep }: WatchedRun): Warning[] {
  const { blocks } = watched.blocks;
  const risen = divergence(blocks);
  const found = [
    ...spikes(watched.spikes, risen),
    ...risen,
    ...plateau(blocks),
    ...notFinite(watched.notFinite, transitions, lastMicroStep),
    ...slowData(blocks),
    ...memoryGrowth(memory),
    ...clipping(blocks),
  ];
  return found.map((warning) => create(WarningSchema, warning)).sort(byPlace);
}

/** What rises and stays up is a divergence, and not a spike as well. */
function spikes(read: LossSpikes, [risen]: readonly Found[]): Found[] {
  return read.spikes
    .filter(({ lastMicroStep }) => risen === undefined || BigInt(lastMicroStep) < (risen.lastMicroStep ?? 0n))
    .map(({ firstMicroStep, lastMicroStep, height }) => ({
      kind: Kind.SPIKE,
      firstMicroStep: BigInt(firstMicroStep),
      lastMicroStep: BigInt(lastMicroStep),
      value: height,
      bound: spikeBound,
    }));
}

function byPlace(a: Warning, b: Warning): number {
  return Number(a.firstMicroStep - b.firstMicroStep) || a.kind - b.kind;
}
