/**
 * The loss curve thinned for drawing, in one pass and without knowing how long the run is: whenever there are too many
 * buckets, neighbours are merged, so that each covers twice as many steps. No extreme is lost: a bucket keeps its smallest
 * and its largest loss, and its mean is the sum of nats over the sum of tokens.
 */
import { create } from "@bufbuild/protobuf";
import { type CurvePoint, CurvePointSchema } from "@pretrain/proto";
import type { Step } from "./history.ts";
import { lossOf, type StepReader } from "./step-reader.ts";

interface Bucket {
  /** `floor((microStep - 1) / width)`: the same for any order of arrival. */
  index: number;
  lastMicroStep: number;
  nats: number;
  tokens: number;
  min: number;
  max: number;
}

export class LossCurve implements StepReader {
  readonly #maximumBuckets: number;
  #width = 1;
  #buckets: Bucket[] = [];

  constructor(maximumBuckets: number) {
    this.#maximumBuckets = maximumBuckets;
  }

  read(step: Step): void {
    const loss = lossOf(step);
    if (loss === undefined) return;
    this.#add({
      index: Math.floor((step.microStep - 1) / this.#width),
      lastMicroStep: step.microStep,
      nats: step.lossNats,
      tokens: step.lossTokens,
      min: loss,
      max: loss,
    });
    // Again where gaps left nothing to merge: in the end all steps are in one bucket.
    while (this.#buckets.length > this.#maximumBuckets) this.#mergeNeighbours();
  }

  #add(bucket: Bucket): void {
    const last = this.#buckets.at(-1);
    if (last?.index !== bucket.index) this.#buckets.push(bucket);
    else absorb(last, bucket);
  }

  #mergeNeighbours(): void {
    this.#width *= 2;
    const halves = this.#buckets;
    this.#buckets = [];
    for (const bucket of halves) this.#add({ ...bucket, index: Math.floor(bucket.index / 2) });
  }

  points(): CurvePoint[] {
    return this.#buckets.map(({ lastMicroStep, nats, tokens, min, max }) =>
      create(CurvePointSchema, { microStep: BigInt(lastMicroStep), min, mean: nats / tokens, max }),
    );
  }
}

function absorb(bucket: Bucket, next: Bucket): void {
  bucket.lastMicroStep = next.lastMicroStep;
  bucket.nats += next.nats;
  bucket.tokens += next.tokens;
  bucket.min = Math.min(bucket.min, next.min);
  bucket.max = Math.max(bucket.max, next.max);
}
