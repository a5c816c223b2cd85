/** Gives one parser its inputs, one after the other, and looks at what comes of each. */
import { isPromise } from "node:util/types";
import type { FuzzTarget } from "@pretrain/testing";
import { type Finding, faultOf, hangMs } from "./findings.ts";
import { HostileInputs } from "./hostile-inputs.ts";

export interface Progress {
  /** Number of the next input: it may be the one that never ends. */
  readonly next: number;
  /** Since the progress before. */
  readonly findings: readonly Finding[];
  readonly refused: number;
  /** Greatest so far. */
  readonly heapBytes: number;
  readonly slowestMs: number;
}

const tellEvery = 500;

/**
 * From input `first` to before input `end`.
 *
 * @param limitMs of the processor's time; what is left over then is not tried
 */
export async function* tryInputs(
  target: FuzzTarget,
  {
    seed,
    first,
    end,
    limitMs,
  }: { readonly seed: string; readonly first: number; readonly end: number; readonly limitMs: number },
): AsyncGenerator<Progress, void> {
  const inputs = new HostileInputs(target, await target.seeds(), seed);
  const begun = process.threadCpuUsage();
  let [refused, heapBytes, slowestMs] = [0, 0, 0];
  let findings: Finding[] = [];
  for (let number = first; number < end; number += 1) {
    const tried = await tryInput(target, inputs.at(number));
    refused += Number(tried.isRefused);
    slowestMs = Math.max(slowestMs, tried.processorMs);
    if (tried.fault !== undefined) findings.push({ ...tried.fault, input: number });
    const isLast = number === end - 1 || millisecondsSince(begun) > limitMs;
    if (!isLast && number % tellEvery !== 0 && findings.length === 0) continue;
    heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
    yield { next: number + 1, findings, refused, heapBytes, slowestMs };
    findings = [];
    if (isLast) return;
  }
}

interface Tried {
  readonly isRefused: boolean;
  readonly fault: Omit<Finding, "input"> | undefined;
  readonly processorMs: number;
}

async function tryInput(target: FuzzTarget, bytes: Uint8Array): Promise<Tried> {
  const first = await tryOnce(target, bytes);
  if (first.processorMs <= hangMs) return first;
  // What else the process had to do (collecting garbage, compiling) is not the input's: it takes as long each time.
  const again = [await tryOnce(target, bytes), await tryOnce(target, bytes)];
  const processorMs = Math.min(...[first, ...again].map((each) => each.processorMs));
  const hang = { kind: "hang", what: `${processorMs.toFixed(0)} ms for ${bytes.length} bytes` } as const;
  return { ...first, processorMs, fault: first.fault ?? (processorMs > hangMs ? hang : undefined) };
}

async function tryOnce(target: FuzzTarget, bytes: Uint8Array): Promise<Tried> {
  const before = process.threadCpuUsage();
  let [isRefused, fault]: [boolean, Tried["fault"]] = [false, undefined];
  try {
    const result = target.take(bytes);
    if (isPromise(result)) await result;
  } catch (thrown) {
    isRefused = true;
    fault = faultOf(thrown, target);
  }
  return { isRefused, fault, processorMs: millisecondsSince(before) };
}

/** Of this thread's work. */
function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
