/** The facts of one attempt, each as an event with the attempt's mark. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SealedCheckpoint } from "@pretrain/checkpoint";
import { events } from "@pretrain/events";
import {
  type AttemptStarted,
  AttemptStartedSchema,
  CheckpointWrittenSchema,
  DatasetPreparedSchema,
  LogLine_Level as Level,
  LogLineSchema,
  MemorySampleSchema,
  type PhaseEnded,
  PhaseEndedSchema,
  type PhaseTimes,
  ProfileSampleSchema,
  StepMetricSchema,
} from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import { checkpointResource } from "../experiment/checkpoint-resource.ts";
import type { Memory, Step, StepTimes } from "../worker/protocol.ts";
import type { Outbox } from "./outbox.ts";
import type { PreparedDataset } from "./prepare-dataset.ts";
import type { ProfileMeans } from "./profile.ts";

/** Who speaks. */
export interface AttemptIdentity {
  /** Canonical id of the experiment. */
  readonly id: string;
  readonly attempt: number;
  readonly nonce: string;
}

/** What `AttemptStarted` says beside the identity. */
export type AttemptFacts = Omit<
  AttemptStarted,
  "$typeName" | "$unknown" | "experiment" | "attempt" | "attemptNonce" | "time"
>;

export type Phase = "environment" | "data" | "model" | "training";

export class AttemptEvents {
  readonly #identity: { readonly experiment: string; readonly attempt: number; readonly attemptNonce: string };
  readonly #outbox: Pick<Outbox, "put">;
  readonly #now: () => Date;
  #lines = 0;
  #lastMicroStep = 0;

  constructor({ id, attempt, nonce }: AttemptIdentity, outbox: Pick<Outbox, "put">, now: () => Date) {
    this.#identity = { experiment: experimentName(id), attempt, attemptNonce: nonce };
    this.#outbox = outbox;
    this.#now = now;
  }

  started(facts: AttemptFacts): void {
    this.#outbox.put(events.attempt, create(AttemptStartedSchema, { ...this.#stamp(), ...facts }));
  }

  phaseEnded(phase: Phase, startTime: Date, outcome: Pick<PhaseEnded, "succeeded" | "note">): void {
    const times = { startTime: timestampFromDate(startTime), endTime: timestampFromDate(this.#now()) };
    this.#outbox.put(events.phase, create(PhaseEndedSchema, { ...this.#identity, phase, ...times, ...outcome }));
  }

  /** Every attempt says it: its time is the packing's own, so that it is the same event each time. */
  datasetPrepared({ dataset, report }: PreparedDataset): void {
    const { experiment, time } = this.#stamp();
    const packed = dataset.endTime ?? time;
    this.#outbox.put(events.dataset, create(DatasetPreparedSchema, { experiment, time: packed, report }));
  }

  stepDone(step: Step): void {
    this.#lastMicroStep = step.microStep;
    const metric = create(StepMetricSchema, {
      ...this.#identity,
      time: timestampFromMs(step.endTimeMs),
      microStep: BigInt(step.microStep),
      optimizerStep: BigInt(step.optimizerStep),
      epoch: step.epoch,
      lossNats: step.lossNats,
      lossTokens: BigInt(step.lossTokens),
      rows: step.rows,
      learningRate: step.learningRate,
      ...step.update,
      tokensSeen: BigInt(step.tokensSeen),
      tokens: BigInt(step.tokens),
      positions: BigInt(step.positions),
      times: phaseTimes(step.times),
    });
    this.#outbox.put(events.step, metric);
  }

  memorySampled({ microStep, endTimeMs }: Step, memory: Memory): void {
    const sample = create(MemorySampleSchema, {
      ...this.#identity,
      time: timestampFromMs(endTimeMs),
      microStep: BigInt(microStep),
      rssBytes: BigInt(memory.rssBytes),
      peakRssBytes: BigInt(memory.peakRssBytes),
      tensorBytes: BigInt(memory.tensorBytes),
      tensors: BigInt(memory.tensors),
    });
    this.#outbox.put(events.memory, sample);
  }

  profiled({ microStep, endTimeMs }: Step, { mean, microSteps, tokensPerSecond }: ProfileMeans): void {
    const sample = create(ProfileSampleSchema, {
      ...this.#identity,
      time: timestampFromMs(endTimeMs),
      microStep: BigInt(microStep),
      microSteps,
      mean: phaseTimes(mean),
      tokensPerSecond,
    });
    this.#outbox.put(events.profile, sample);
  }

  /** Says again what the manifest holds, under the mark of the attempt that wrote it: a repetition is the same event. */
  checkpointWritten(sealed: SealedCheckpoint): void {
    const { attempt, attemptNonce, createTime, writeSeconds } = sealed.manifest;
    const written = create(CheckpointWrittenSchema, {
      experiment: this.#identity.experiment,
      attempt,
      attemptNonce,
      writeSeconds,
      time: timestampFromDate(new Date(createTime)),
      checkpoint: checkpointResource(sealed),
    });
    this.#outbox.put(events.checkpoint, written);
  }

  /** @param message without absolute paths */
  info(message: string): void {
    this.#line(Level.INFO, message);
  }

  warning(message: string): void {
    this.#line(Level.WARNING, message);
  }

  error(message: string): void {
    this.#line(Level.ERROR, message);
  }

  #line(level: Level, message: string): void {
    this.#lines += 1;
    const counts = { number: BigInt(this.#lines), microStep: BigInt(this.#lastMicroStep) };
    this.#outbox.put(events.log, create(LogLineSchema, { ...this.#stamp(), ...counts, level, message }));
  }

  #stamp() {
    return { ...this.#identity, time: timestampFromDate(this.#now()) };
  }
}

function phaseTimes(times: StepTimes): PhaseTimes {
  return { $typeName: "pretrain.events.v1.PhaseTimes", ...times };
}
