/**
 * The process that a parser is tried in: its memory is limited by how it was started, and it may die. It is told by its arguments what to
 * try, and tells its parent how far it is: `child.ts FILE SEED FIRST COUNT`.
 */
import { isPromise } from "node:util/types";
import type { FuzzTarget } from "@pretrain/testing";
import { type Finding, faultOf, hangMs } from "./findings.ts";
import { HostileInputs } from "./hostile-inputs.ts";

/** What the parent is told. */
export interface Progress {
  /** Inputs that were tried, counted from 0: the next one may be the one that never ends. */
  readonly tried: number;
  readonly findings: readonly Finding[];
  readonly refused: number;
  /** Greatest so far. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly slowestMs: number;
  readonly isDone: boolean;
}

const [file = "", seed = "", first = "0", count = "0"] = process.argv.slice(2);
const { default: target }: { default: FuzzTarget } = await import(file);
const inputs = new HostileInputs(target, await target.seeds(), seed);
const end = Number(first) + Number(count);
const tellEvery = 500;
const state = { findings: new Array<Finding>(), refused: 0, heapBytes: 0, slowestMs: 0 };

for (let number = Number(first); number < end; number += 1) {
  const bytes = inputs.at(number);
  const finding = await tried(bytes);
  if (finding !== undefined) state.findings.push({ ...finding, input: number });
  if (number % tellEvery === 0 || state.findings.length > 0) await tell(number + 1, false);
}
await tell(end, true);
process.disconnect?.();

async function tried(bytes: Uint8Array): Promise<Omit<Finding, "input"> | undefined> {
  const first = await once(bytes);
  if (first.fault !== undefined || first.processorMs <= hangMs) return first.fault;
  // What else the process had to do (collecting garbage, compiling) is not the input's: it would be seen again.
  const again = [first, await once(bytes), await once(bytes)].map(({ processorMs }) => processorMs);
  const leastMs = Math.min(...again);
  state.slowestMs = Math.max(state.slowestMs, leastMs);
  return leastMs > hangMs ? { kind: "hang", what: `${leastMs.toFixed(0)} ms for ${bytes.length} bytes` } : undefined;
}

async function once(bytes: Uint8Array): Promise<{ processorMs: number; fault: ReturnType<typeof faultOf> }> {
  const before = process.threadCpuUsage();
  let fault: ReturnType<typeof faultOf>;
  try {
    const result = target.take(bytes);
    if (isPromise(result)) await result;
  } catch (thrown) {
    state.refused += 1;
    fault = faultOf(thrown, target);
  }
  const { user, system } = process.threadCpuUsage(before);
  const processorMs = (user + system) / 1000;
  if (processorMs <= hangMs) state.slowestMs = Math.max(state.slowestMs, processorMs);
  return { processorMs, fault };
}

function tell(number: number, isDone: boolean): Promise<void> {
  state.heapBytes = Math.max(state.heapBytes, process.memoryUsage().heapUsed);
  const progress: Progress = {
    ...state,
    tried: number,
    rssBytes: process.resourceUsage().maxRSS * 1024,
    isDone,
  };
  state.findings = [];
  return new Promise((resolve, reject) => {
    process.send?.(progress, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
