/** Two instances of each service on one broker and one store: whoever dies or is replaced, nobody notices. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type RecipeSchema, Experiment_State as State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import { evidenceAtRest, newTrial } from "../chaos/experiments-on-trial.ts";
import { numberAt, textAt } from "../chaos/oracle/event-rows.ts";
import type { Evidence } from "../chaos/oracle/evidence.ts";
import { findings } from "../chaos/oracle/findings.ts";
import { Wire } from "../chaos/system/wire.ts";
import { tinyRecipe } from "../tiny-recipe.ts";
import { type ReplicatedSystem, serviceNames, startReplicatedSystem } from "./replicated-system.ts";
import { callSteadily } from "./steady-caller.ts";

/** 810 micro-steps, checkpoints at 410 and at the end. */
const recipe = {
  ...tinyRecipe,
  training: { ...tinyRecipe.training, epochs: 30, saveInterval: 410 },
  evaluation: { samples: 1, inputLength: 20, predictLength: 8 },
} satisfies MessageInitShape<typeof RecipeSchema>;

const patience = { timeoutMs: 240_000 };
const nothing = { lost: [], doubled: [], unequal: [], broken: [] };

async function trains({ address }: { readonly address: string }, id: string): Promise<void> {
  using trainer = connectClient(TrainerService, address);
  await until(async () => {
    const { state, progress } = await trainer.getExperiment({ name: `experiments/${id}` });
    return state === State.RUNNING && (progress?.microStep ?? 0n) > 0n;
  }, patience);
}

/** Steps that more than one attempt has computed. */
function computedTwice({ ledger }: Evidence): number {
  const steps = ledger.filter(({ kind }) => kind === "step").map(({ payload }) => numberAt(payload, "microStep"));
  return steps.length - new Set(steps).size;
}

function interruptions({ ledger }: Evidence): string[] {
  return ledger
    .filter(({ kind, payload }) => kind === "state" && textAt(payload, "to") === "STATE_INTERRUPTED")
    .map(({ payload }) => textAt(payload, "reason"));
}

const skip = process.env["PRETRAIN_LONG"] !== "1" && "takes three minutes of a processor: PRETRAIN_LONG=1 runs it";

test("two instances of each service", { skip }, async (t) => {
  const system = await startReplicatedSystem(t);
  const wire = new Wire();
  t.after(() => wire[Symbol.asyncDispose]());
  await wire.listen(system.brokerUrl);
  const [one, two] = system.instances("trainer");
  assert.ok(one !== undefined && two !== undefined);
  using first = connectClient(TrainerService, one.address);
  using second = connectClient(TrainerService, two.address);
  let killed: Evidence | undefined;

  await t.test("what one was told the other one knows: requests by their id, lists, etags", async () => {
    const request = { experimentId: "killed", recipe, requestId: "the same" };
    const started = await first.startExperiment(request);
    assert.deepEqual((await second.startExperiment(request)).createTime, started.createTime);
    await assert.rejects(second.startExperiment({ ...request, experimentId: "other" }), /was used for another request/);
    assert.deepEqual(
      (await second.listExperiments({})).experiments.map(({ name }) => name),
      [started.name],
    );
    const withdrawn = await second.startExperiment({ experimentId: "withdrawn", recipe });
    assert.equal((await first.cancelExperiment({ name: withdrawn.name, etag: withdrawn.etag })).state, State.CANCELLED);
    await assert.rejects(second.cancelExperiment({ name: withdrawn.name, etag: withdrawn.etag }), /etag/);
  });

  await t.test("one of each is killed while it trains: the others end it", async () => {
    await trains(two, "killed");
    for (const name of ["trainer", "data-shard", "evaluator"] as const) {
      const [victim] = system.instances(name);
      assert.ok(victim !== undefined);
      process.kill(victim.process.pid, "SIGKILL");
      system.remove(name, victim);
    }
    await until(
      async () => (await second.getExperiment({ name: "experiments/killed" })).state === State.COMPLETED,
      patience,
    );
    killed = await evidenceAtRest(system, wire, newTrial("killed", 0));
    assert.deepEqual(findings(killed, killed), nothing);
  });

  await t.test(
    "all are replaced one after the other while it trains: no step fails, no event and no call is lost",
    async () => {
      for (const name of ["trainer", "data-shard", "evaluator"] as const) await system.add(name);
      const trial = newTrial("rolled", 0);
      await startAt(system, "rolled");
      await trains({ address: system.address("trainer") }, "rolled");
      const stopping = new AbortController();
      const calling = callSteadily(system, "experiments/rolled", stopping.signal);
      await replaceAll(system);
      using trainer = connectClient(TrainerService, system.address("trainer"));
      await until(
        async () => (await trainer.getExperiment({ name: "experiments/rolled" })).state === State.COMPLETED,
        patience,
      );
      stopping.abort();
      const { answered, repeated, failed } = await calling;
      const rolled = await evidenceAtRest(system, wire, trial);
      told(t, rolled, answered, repeated);
      assert.deepEqual(failed, []);
      for (const name of serviceNames)
        assert.ok((answered[name] ?? 0) > 10, `${name} answered ${answered[name]} calls`);
      assert.deepEqual(findings(rolled, killed ?? rolled), nothing);
      assert.ok(interruptions(rolled).length > 0, "no trainer was replaced while it trained");
      assert.deepEqual(new Set(interruptions(rolled)), new Set(["REASON_SHUTDOWN"]));
      assert.equal(computedTwice(rolled), 0);
    },
  );
});

async function startAt(system: ReplicatedSystem, experimentId: string): Promise<void> {
  using trainer = connectClient(TrainerService, system.address("trainer"));
  await trainer.startExperiment({ experimentId, recipe });
}

/** As a cluster replaces instances: a new one serves before an old one is asked to end. Of the report service there is never more than one. */
async function replaceAll(system: ReplicatedSystem): Promise<void> {
  for (const name of ["trainer", "data-shard", "evaluator", "report"] as const) {
    for (const old of system.instances(name)) {
      if (name !== "report") await system.add(name);
      system.remove(name, old);
      await old.process[Symbol.asyncDispose]();
      if (name === "report") await system.add(name);
    }
  }
}

function told(t: TestContext, rolled: Evidence, answered: Readonly<Record<string, number>>, repeated: number): void {
  const calls = Object.entries(answered).map(([name, count]) => `${name} ${count}`);
  t.diagnostic(`${interruptions(rolled).length} interruptions, ${computedTwice(rolled)} steps computed twice`);
  t.diagnostic(`calls answered: ${calls.join(", ")}; asked again ${repeated} times`);
}
