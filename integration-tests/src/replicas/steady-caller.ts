/** Somebody who asks every service something, again and again, and asks again where the answer is UNAVAILABLE: as a client should. */
import { setTimeout as pause } from "node:timers/promises";
import { messageOf, Unavailable } from "@pretrain/errors";
import { DataShardService, EvaluatorService, ReportService, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import type { ReplicatedSystem } from "./replicated-system.ts";

export interface Calls {
  /** That were answered, by service. */
  readonly answered: Readonly<Record<string, number>>;
  /** How often it was asked again. */
  readonly repeated: number;
  /** What was answered with something else, or never. */
  readonly failed: readonly string[];
}

const everyMs = 20;
const patienceMs = 120_000;

/** Calls until `signal`, all services at once, each one call after the other. */
export async function callSteadily(system: ReplicatedSystem, experiment: string, signal: AbortSignal): Promise<Calls> {
  using dataShard = connectClient(DataShardService, system.address("data-shard"));
  using trainer = connectClient(TrainerService, system.address("trainer"));
  using evaluator = connectClient(EvaluatorService, system.address("evaluator"));
  using reports = connectClient(ReportService, system.address("report"));
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    "data-shard": () => dataShard.listDatasets({}),
    trainer: () => trainer.getExperiment({ name: experiment }),
    evaluator: () => evaluator.listEvaluations({}),
    report: () => reports.getReport({ name: `${experiment}/report` }),
  };
  const calls = { answered: {} as Record<string, number>, repeated: 0, failed: [] as string[] };
  const ask = async (service: string, question: () => Promise<unknown>) => {
    while (!signal.aborted) {
      const deadline = performance.now() + patienceMs;
      while (!(await isAnswered(service, question, calls, performance.now() > deadline))) await pause(everyMs);
      await pause(everyMs);
    }
  };
  await Promise.all(Object.entries(questions).map(([service, question]) => ask(service, question)));
  return calls;
}

/** False when it is to be asked again. */
async function isAnswered(
  service: string,
  question: () => Promise<unknown>,
  calls: { answered: Record<string, number>; repeated: number; failed: string[] },
  isLast: boolean,
): Promise<boolean> {
  try {
    await question();
    calls.answered[service] = (calls.answered[service] ?? 0) + 1;
    return true;
  } catch (error) {
    const isAway = error instanceof Unavailable && !isLast;
    if (isAway) calls.repeated += 1;
    else calls.failed.push(`${service}: ${messageOf(error)}`);
    return !isAway;
  }
}
