/** What the ledger knows of one experiment, as the record's domain reads it. Lists are in their natural order. */
import type {
  Annotation,
  AttemptStarted,
  CheckpointRemoved,
  CheckpointWritten,
  DatasetPrepared,
  EvaluationEnded,
  LogLine,
  MemorySample,
  PhaseEnded,
  StateChanged,
} from "@pretrain/proto";
import type { Resumption } from "./accepted.ts";

/** One accepted micro-step: the columns that the record is computed from. */
export interface Step {
  readonly attempt: number;
  /** From 1, over all epochs. */
  readonly microStep: number;
  /** Optimizer steps done after it. */
  readonly optimizerStep: number;
  readonly epoch: number;
  /** When it ended, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Sum of the losses of its targets. */
  readonly lossNats: number;
  /** Targets in that sum. */
  readonly lossTokens: number;
  readonly learningRate: number;
  /** Only on a micro-step that ends an optimizer step. */
  readonly gradientNorm: number | null;
  readonly clipScale: number | null;
  readonly tokensSeen: number;
  readonly tokens: number;
  readonly positions: number;
  readonly dataMs: number;
  readonly forwardBackwardMs: number;
  readonly optimizerMs: number;
  readonly otherMs: number;
  readonly totalMs: number;
}

/** An event whose identity was used again with another content. The later one is in the history, the earlier one is kept aside. */
export interface Contradiction {
  readonly kind: string;
  readonly attempt: number;
  readonly number: number;
  readonly detail: string;
}

/** Events that carry another mark than the claim of their attempt: whoever wrote them did not hold the experiment. */
export interface Stranger {
  readonly attempt: number;
  /** How many they are. */
  readonly events: number;
}

/** Micro-steps that more than one attempt computed. */
export interface Repetitions {
  readonly microSteps: number;
  /** Of these, how many came out with the same loss to the last bit every time. */
  readonly equal: number;
}

export interface History {
  /** `experiments/{experiment}`. */
  readonly experiment: string;
  readonly transitions: readonly StateChanged[];
  /** Events that claim to be the first transition, too, and were kept aside. */
  readonly otherBeginnings: readonly StateChanged[];
  readonly attempts: readonly AttemptStarted[];
  readonly phases: readonly PhaseEnded[];
  readonly datasets: readonly DatasetPrepared[];
  /** Of all attempts. */
  readonly checkpoints: readonly CheckpointWritten[];
  readonly removals: readonly CheckpointRemoved[];
  readonly evaluations: readonly EvaluationEnded[];
  /** By time. */
  readonly annotations: readonly Annotation[];
  /** Of all attempts, by micro-step. */
  readonly memory: readonly MemorySample[];
  readonly log: readonly LogLine[];
  readonly contradictions: readonly Contradiction[];
  /** Where every attempt went on from, also of one that fell silent before it said a word. */
  readonly resumptions: readonly Resumption[];
  readonly strangers: readonly Stranger[];
  readonly repetitions: Repetitions;
  /** The accepted micro-steps, ascending; read once. */
  readonly steps: Iterable<Step>;
}
