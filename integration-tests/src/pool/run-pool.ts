/** A whole run: experiments are started, workers come and go with nodes that do, and everything that is left of it is looked at. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type RecipeSchema, Experiment_State as State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { evidenceAtRest, newTrial } from "../chaos/experiments-on-trial.ts";
import type { Evidence } from "../chaos/oracle/evidence.ts";
import { findings } from "../chaos/oracle/findings.ts";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { Wire } from "../chaos/system/wire.ts";
import { tinyRecipe } from "../tiny-recipe.ts";
import { Cluster, type NodeFault } from "./cluster.ts";
import { GpuNode } from "./gpu-node.ts";
import { GpuWatch } from "./gpu-watch.ts";
import type { Options } from "./options.ts";
import { type PoolSystem, startPoolSystem } from "./pool-system.ts";
import { recomputed } from "./recomputed.ts";
import type { Outcome } from "./verdict.ts";

/** 54 micro-steps, a checkpoint every 18: a few seconds, when nothing happens. */
const recipe = {
  ...tinyRecipe,
  training: { ...tinyRecipe.training, epochs: 2, saveInterval: 18 },
  evaluation: { samples: 1, inputLength: 20, predictLength: 8 },
} satisfies MessageInitShape<typeof RecipeSchema>;
const stepsOfExperiment = 54;

const faultKinds: readonly NodeFault[] = ["vanish", "vanish", "vanish", "drain", "cut-off"];
/** Nothing ends for so long: something is stuck. */
const stillnessMs = 240_000;
const restMs = 120_000;
/** No step comes, or no worker is on any node, for so long: everything has ended before its time. */
const nobodyMs = 20_000;

/** @param folder an empty one, for all that the run writes  @param say hears a line now and then */
export async function runPool(folder: string, options: Options, say: (line: string) => void): Promise<Outcome> {
  if (spawnSync("flock", ["--version"]).status !== 0) {
    throw new Error("a node's GPU is a lock: flock (of util-linux) is needed");
  }
  const nodes = Array.from({ length: options.nodes }, (_, index) => new GpuNode(folder, index + 1));
  await using system = await startPoolSystem(folder);
  await using wire = new Wire();
  await wire.listen(system.brokerUrl);
  using watch = new GpuWatch(nodes);
  const kinds = system.workers({ trainers: options.nodes, evaluators: Math.max(1, Math.floor(options.nodes / 4)) });
  const { monitoringUrl } = system.broker;
  await using cluster = new Cluster({ nodes, kinds, monitoringUrl, say });
  const beganMs = performance.now();
  const ids = await startAll(system, options.experiments);
  const struck = await strikeAll({ cluster, wire, options, say });
  const states = await ended(system, ids.length, say);
  const evidence: Evidence[] = [];
  for (const id of ids) evidence.push(await evidenceAtRest(system, wire, newTrial(id, 0)));
  const isEmpty = () => cluster.jobs === 0 && watch.workers() === 0;
  await until(isEmpty, { timeoutMs: restMs }).catch(() => undefined); // what is left is counted
  await pause(3_000); // no look of the scaler may make another one
  const left = { jobs: cluster.jobs, workers: watch.workers() };
  return outcomeOf({ system, cluster, watch, struck, states, evidence, left, tookMs: performance.now() - beganMs });
}

async function startAll(system: PoolSystem, count: number): Promise<string[]> {
  using trainer = connectClient(TrainerService, system.address("trainer"));
  const ids = Array.from({ length: count }, (_, index) => `pool-${index + 1}`);
  for (const experimentId of ids) await trainer.startExperiment({ experimentId, recipe, requestId: experimentId });
  return ids;
}

interface Striking {
  readonly cluster: Cluster;
  readonly wire: Wire;
  readonly options: Options;
  readonly say: (line: string) => void;
}

/** Each fault has its moment: when so many of all steps have been published, anywhere in the first nine tenths of them. */
async function strikeAll({ cluster, wire, options, say }: Striking): Promise<Map<NodeFault, number>> {
  const random = new SeededRandom(options.seed);
  const struck = new Map<NodeFault, number>();
  const most = Math.floor(0.9 * stepsOfExperiment * options.experiments);
  const moments = Array.from({ length: options.faults }, () => random.integer(1, most)).sort((a, b) => a - b);
  for (const [index, moment] of moments.entries()) {
    const [fault, lastingMs, place] = [random.oneOf(faultKinds), random.integer(1_000, 6_000), random.fraction()];
    await published(wire, moment);
    const node = await until(
      () => {
        const busy = [...cluster.busyNodes("trainer-worker"), ...cluster.busyNodes("evaluator-worker")];
        return busy[Math.floor(place * busy.length)];
      },
      { timeoutMs: nobodyMs },
    ).catch(() => undefined);
    if (node === undefined || !cluster.strike(node, fault, lastingMs)) continue;
    struck.set(fault, (struck.get(fault) ?? 0) + 1);
    say(`fault ${index + 1}: ${fault} of ${node.name}, for ${lastingMs} ms`);
  }
  return struck;
}

/** Resolves when so many steps were published, or none was for a while: then the end is near. */
async function published(wire: Wire, steps: number): Promise<void> {
  let [seen, movedMs] = [wire.steps, performance.now()];
  while (wire.steps < steps && performance.now() - movedMs < nobodyMs) {
    await pause(20);
    if (wire.steps > seen) [seen, movedMs] = [wire.steps, performance.now()];
  }
}

/** How many experiments have ended in each state, once all have, or nothing has ended for long. */
async function ended(system: PoolSystem, count: number, say: (line: string) => void): Promise<Map<State, number>> {
  using trainer = connectClient(TrainerService, system.address("trainer"));
  const final: readonly State[] = [State.COMPLETED, State.FAILED, State.CANCELLED];
  let [done, movedMs] = [0, performance.now()];
  for (;;) {
    const { experiments } = await trainer.listExperiments({ pageSize: 1_000 });
    const states = new Map(final.map((state) => [state, experiments.filter((each) => each.state === state).length]));
    const now = [...states.values()].reduce((sum, each) => sum + each, 0);
    if (now !== done) {
      [done, movedMs] = [now, performance.now()];
      say(`${done} of ${count} have ended`);
    }
    if (done === count || performance.now() - movedMs > stillnessMs) return states;
    await pause(1_000);
  }
}

interface Ended {
  readonly system: PoolSystem;
  readonly cluster: Cluster;
  readonly watch: GpuWatch;
  readonly struck: ReadonlyMap<NodeFault, number>;
  readonly states: ReadonlyMap<State, number>;
  readonly evidence: readonly Evidence[];
  readonly left: Outcome["left"];
  readonly tookMs: number;
}

function outcomeOf({ system, cluster, watch, struck, states, evidence, left, tookMs }: Ended): Outcome {
  const [reference] = evidence;
  const found = evidence.map((each) => findings(each, reference ?? each));
  const again = evidence.map(({ experiment, ledger }) => recomputed(join(system.state, "blobs"), experiment, ledger));
  const ledgers = evidence.flatMap(({ ledger }) => ledger);
  return {
    experiments: evidence.length,
    completed: states.get(State.COMPLETED) ?? 0,
    struck,
    ...cluster.counts,
    left,
    looks: watch.looks,
    attempts: ledgers.filter(({ kind }) => kind === "attempt").length,
    evaluations: ledgers.filter(({ kind }) => kind === "evaluation").length,
    checkpoints: evidence.reduce((sum, { checkpoints }) => sum + checkpoints.length, 0),
    recomputedSteps: again.reduce((sum, { steps }) => sum + steps, 0),
    wrong: {
      lost: found.flatMap(({ lost }) => lost),
      doubled: found.flatMap(({ doubled }) => doubled),
      unequal: found.flatMap(({ unequal }) => unequal),
      broken: [...found.flatMap(({ broken }) => broken), ...again.flatMap(({ tooFar }) => tooFar)],
      twoOnOneGpu: [...watch.found],
    },
    tookMs,
  };
}
