/**
 * MEMORY_GROWTH: resident memory that rises through the second half of an attempt's samples. The first half is left out, since
 * allocators fill their pools there; each attempt is a process of its own and is looked at alone.
 */
import { Warning_Kind as Kind, type MemorySample } from "@pretrain/proto";
import { leastSquaresLine } from "../least-squares.ts";
import type { Found } from "./block-rules.ts";

/** Share of what was resident at the beginning of the half. Pools and caches of a sound run move by a few percent. */
export const growthShare = 0.1;
/** And at least this much: of a small process a tenth is soon reached. */
const growthBytes = 64 * 2 ** 20;
/** And in standard errors of the slope. */
const growthErrors = 4;
const fewestSamples = 20;

/** @param samples accepted ones, by micro-step */
export function memoryGrowth(samples: readonly MemorySample[]): Found[] {
  const attempts = [...new Set(samples.map(({ attempt }) => attempt))];
  return attempts.flatMap((attempt) => growthOf(samples.filter((sample) => sample.attempt === attempt)));
}

function growthOf(samples: readonly MemorySample[]): Found[] {
  const half = samples.slice(Math.floor(samples.length / 2));
  const [first, last] = [half[0], half.at(-1)];
  const line = leastSquaresLine(half.map(({ microStep, rssBytes }) => [Number(microStep), Number(rssBytes)]));
  if (first === undefined || last === undefined || line === undefined || half.length < fewestSamples) return [];
  const steps = Number(last.microStep - first.microStep);
  const allowed = Math.max(growthBytes, growthShare * Number(first.rssBytes));
  const isSure = line.slope > growthErrors * line.slopeError;
  if (!isSure || line.slope * steps <= allowed) return [];
  const { microStep: firstMicroStep } = first;
  const range = { firstMicroStep, lastMicroStep: last.microStep };
  return [{ kind: Kind.MEMORY_GROWTH, ...range, value: line.slope, bound: allowed / steps }];
}
