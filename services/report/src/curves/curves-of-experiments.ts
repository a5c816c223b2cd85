/**
 * The curves of all experiments. What was asked for once stays in memory and follows the ledger, so that an answer takes as long
 * for a million steps as for a thousand; the first one of an experiment reads all of its steps, in pieces, between which the
 * service does its other work.
 */
import { setImmediate as otherWork } from "node:timers/promises";
import { InvalidArgument, ResourceExhausted, type Violation } from "@pretrain/errors";
import type { MemorySample } from "@pretrain/proto";
import { experimentName } from "@pretrain/recipe";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readEvents, readResumptions } from "../ledger/read-history.ts";
import { acceptedItems } from "../record/accepted.ts";
import { evaluatedCheckpoints } from "../record/checkpoint-evaluations.ts";
import { evaluationNumbers } from "../record/evaluation-numbers.ts";
import { knownEvaluations } from "../record/known-evaluations.ts";
import { type Curve, curves, type StepCurve } from "./curves.ts";
import { CurvesInMemory } from "./curves-in-memory.ts";
import { type Sample, sampledBuckets } from "./sampled-curve.ts";
import { type Bucket, cut } from "./thinning.ts";

export interface CurveQuestion {
  /** Canonical id. */
  readonly experiment: string;
  readonly metrics: readonly string[];
  /** First micro-step; 0: from the beginning. */
  readonly from: number;
  /** Last micro-step; 0: to the end. */
  readonly to: number;
  /** Buckets per curve at most. */
  readonly maximumBuckets: number;
  /** Weight of what was before in a moving average, from 0 (none is computed) to below 1. */
  readonly smoothing?: number;
}

export interface CurveLimits {
  /** Of all experiments together; the one asked for last stays whatever its size. */
  readonly keptBytes: number;
  /** Of one experiment; with more there is no answer. */
  readonly rows: number;
  /** Read at once: 10 ms. */
  readonly rowsAtOnce: number;
}

/** 120 bytes a step, and 50 more when all curves are asked for: 2 million steps. */
const usualLimits: CurveLimits = { keptBytes: 400 * 2 ** 20, rows: 2 ** 24, rowsAtOnce: 8192 };

const known = new WeakMap<Ledger, Curves>();

/** One for each ledger: it alone takes what the ledger has to tell about changed steps. */
export function curvesOf(ledger: Ledger): Curves {
  const curves = known.get(ledger) ?? new Curves(ledger);
  known.set(ledger, curves);
  return curves;
}

/** Made by `curvesOf` alone, but for a test of its limits. */
export class Curves {
  readonly #ledger: Ledger;
  readonly #limits: CurveLimits;
  /** The least recently used one first. */
  readonly #kept = new Map<string, CurvesInMemory>();

  constructor(ledger: Ledger, limits: Partial<CurveLimits> = {}) {
    this.#ledger = ledger;
    this.#limits = { ...usualLimits, ...limits };
  }

  /**
   * @returns the buckets of each curve, in the order asked
   * @throws InvalidArgument for a name that is no curve, ResourceExhausted for a run of too many steps
   */
  async read(question: CurveQuestion): Promise<Bucket[][]> {
    const { experiment, metrics } = question;
    const wanted = metrics.map(curveNamed);
    const kept = this.#keptOf(experiment);
    const overSteps = wanted.filter((curve): curve is Curve & StepCurve => curve.of === "step");
    while (!kept.follow(this.#limits.rowsAtOnce, overSteps)) {
      this.#expectRoom(experiment, kept);
      await otherWork();
    }
    this.#makeRoom(); // nothing is waited for from here on: the ledger stays as it is
    return this.#answer(kept, question, wanted);
  }

  #answer(kept: CurvesInMemory, { experiment, ...question }: CurveQuestion, wanted: readonly Curve[]): Bucket[][] {
    const smoothing = question.smoothing ?? 0;
    const samples = samplesOf(this.#ledger, experiment, wanted);
    const last = Math.max(kept.lastMicroStep, ...samples.map((curve) => curve?.at(-1)?.microStep ?? 0));
    const to = question.to === 0 ? last : Math.min(question.to, last);
    const range = cut(Math.max(1, question.from), to, question.maximumBuckets);
    return wanted.map((curve, index) =>
      curve.of === "step"
        ? kept.buckets(curve, range, smoothing)
        : sampledBuckets(samples[index] ?? [], range, smoothing, (microStep) => kept.placeAt(microStep)),
    );
  }

  /** Moves it to the end of the map. */
  #keptOf(experiment: string): CurvesInMemory {
    const kept = this.#kept.get(experiment) ?? new CurvesInMemory(this.#ledger, experiment);
    this.#kept.delete(experiment);
    this.#kept.set(experiment, kept);
    return kept;
  }

  #expectRoom(experiment: string, kept: CurvesInMemory): void {
    const { rows } = this.#limits;
    if (kept.rows <= rows) return;
    this.#kept.delete(experiment);
    const name = experimentName(experiment);
    const message = `${name} has more than ${rows} micro-steps, more than curves are cut of; ReadSteps reads them all`;
    throw new ResourceExhausted("RUN_TOO_LONG", message, { name, maximum: String(rows) });
  }

  #makeRoom(): void {
    let sizeBytes = [...this.#kept.values()].reduce((sum, kept) => sum + kept.sizeBytes, 0);
    for (const [experiment, kept] of this.#kept) {
      if (sizeBytes <= this.#limits.keptBytes || this.#kept.size === 1) return;
      this.#kept.delete(experiment);
      sizeBytes -= kept.sizeBytes;
    }
  }
}

function curveNamed(name: string, index: number): Curve {
  const curve = Object.hasOwn(curves, name) ? curves[name] : undefined;
  if (curve !== undefined) return curve;
  const known = Object.keys(curves).join(", ");
  const violation: Violation = {
    field: `metrics[${index}]`,
    description: `${JSON.stringify(name.slice(0, 64))} is no curve; curves are ${known}`,
  };
  throw new InvalidArgument([violation]);
}

/** Of each curve that has a value only now and then; undefined for one over steps. */
function samplesOf(ledger: Ledger, experiment: string, wanted: readonly Curve[]): (Sample[] | undefined)[] {
  const memory = wanted.some((curve) => curve.of === "memory") ? readMemory(ledger, experiment) : [];
  const evaluated = wanted.some((curve) => curve.of === "evaluation") ? readEvaluated(ledger, experiment) : [];
  return wanted.map((curve) => {
    if (curve.of === "step") return undefined;
    if (curve.of === "memory")
      return memory.map((sample) => ({ microStep: Number(sample.microStep), value: Number(curve.value(sample)) }));
    return evaluated.flatMap(({ microStep, numbers }) => {
      const value = numbers[curve.value];
      return value === undefined ? [] : [{ microStep, value }];
    });
  });
}

function readMemory(ledger: Ledger, experiment: string): MemorySample[] {
  return acceptedItems(readEvents(ledger, experiment, "memory"), placeOf, readResumptions(ledger, experiment));
}

function placeOf({ attempt, microStep }: MemorySample) {
  return { attempt, microStep: Number(microStep) };
}

function readEvaluated(ledger: Ledger, experiment: string) {
  const evaluations = knownEvaluations(readEvents(ledger, experiment, "evaluation"));
  const plan = readEvents(ledger, experiment, "state")[0]?.recipe?.evaluation;
  const checkpoints = readEvents(ledger, experiment, "checkpoint");
  const evaluated = evaluatedCheckpoints(checkpoints, readResumptions(ledger, experiment), evaluations, plan);
  return evaluated.map(({ checkpoint, evaluation }) => ({
    microStep: Number(checkpoint.microStep),
    numbers: evaluationNumbers(evaluation),
  }));
}
