/** Watching: what is shown where, and that neither Ctrl-C nor a service that restarts ends more than it should. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Experiment, Experiment_State, ExperimentSchema, ReportService, TrainerService } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { serveContract } from "../test-support/serve-contract.ts";
import { runCommand, startCommand } from "../testing.ts";

const name = "experiments/a";

test("on a pipe: a line for each state, one for each interval of micro-steps, and exit code 0 when it completes", async (t) => {
  const { options, end, give } = await system(t);
  const watch = started(t, ["watch", "a", "--interval", "2", ...options]);
  give(1, 2, 3, 4, 5);
  await until(() => watch.written.stdout.includes("step: 4/5"), { timeoutMs: 30_000 });
  end(Experiment_State.COMPLETED);
  const { exitCode, stdout } = await watch.ended;
  assert.equal(exitCode, 0);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" loss: ")[0]),
    [
      "state: RUNNING attempt: 1 message:",
      "step: 2/5 epoch: 1/1",
      "step: 4/5 epoch: 1/1",
      "step: 5/5 epoch: 1/1",
      "state: COMPLETED attempt: 1 message:",
    ],
  );
  assert.match(
    stdout,
    /^step: 2\/5 epoch: 1\/1 loss: 1\.5000 grad_norm: - lr: 0\.0000e\+0 tokens\/s: 20 data_wait: 0\.000 left: 2s$/m,
  );
});

test("on a terminal: one line with a bar, written over; with --json an object a line", async (t) => {
  const { options, end, give } = await system(t);
  const bar = started(t, ["watch", "a", ...options], { person: { columns: 60, colors: false } });
  const json = started(t, ["watch", "a", "--json", ...options]);
  give(1, 2, 3, 4, 5);
  await until(() => json.written.stdout.includes('"microStep":"5"'), { timeoutMs: 30_000 });
  end(Experiment_State.COMPLETED);
  const [shown, lines] = await Promise.all([bar.ended, json.ended]);
  assert.match(shown.stdout, /^\rrunning \[░{24}\] step: 0\/5/);
  assert.ok(shown.stdout.includes("\u001b[K"));
  assert.equal(shown.stdout.match(/\n/g)?.length, 1); // only the end of the watch
  const kinds = lines.stdout
    .trimEnd()
    .split("\n")
    .map((line) => Object.keys(JSON.parse(line)).join());
  assert.deepEqual(kinds, ["experiment", ...Array(5).fill("step"), "experiment"]);
});

test("an experiment that failed is exit code 1, with its reason", async (t) => {
  const { options, end } = await system(t);
  const watch = started(t, ["watch", "a", ...options]);
  end(Experiment_State.FAILED, "the loss is NaN");
  const { exitCode, stderr } = await watch.ended;
  assert.equal(exitCode, 1);
  assert.match(stderr, /experiments\/a is FAILED: the loss is NaN/);
});

test("Ctrl-C ends the watch, cancels nothing, and says so", async (t) => {
  const { options, cancelled } = await system(t);
  for (const verb of ["watch", "wait"]) {
    const running = started(t, [verb, "a", ...options]);
    if (verb === "watch") await until(() => running.written.stdout.includes("RUNNING"), { timeoutMs: 30_000 });
    running.interrupt();
    const { exitCode, stderr } = await running.ended;
    assert.equal(exitCode, 130);
    assert.match(stderr, /stopped wa.*experiments\/a goes on/);
  }
  assert.equal(cancelled(), 0);
});

test("a trainer that restarts is waited for; one that never answered is an error", async (t) => {
  const first = await system(t);
  const watch = started(t, ["watch", "a", ...first.options]);
  await until(() => watch.written.stdout.includes("RUNNING"), { timeoutMs: 30_000 });
  await first.stopTrainer();
  await until(() => watch.written.stderr.includes("does not answer"), { timeoutMs: 30_000 });
  const again = await system(t, first.address);
  again.end(Experiment_State.COMPLETED);
  assert.equal((await watch.ended).exitCode, 0);
  assert.equal((await runCommand(["watch", "a", "--trainer", "127.0.0.1:9", "--report", "127.0.0.1:9"])).exitCode, 4);
});

test("wait says nothing until the end; a time that is up is exit code 1, and so is a failure where it was asked for", async (t) => {
  const { options, end } = await system(t);
  const late = await runCommand(["wait", "a", "--timeout", "0.2s", ...options]);
  assert.equal(late.exitCode, 1);
  assert.match(late.stderr, /not ended within 0s: .*; it goes on/);
  end(Experiment_State.CANCELLED, "by its user");
  const plain = await runCommand(["wait", "a", ...options]);
  assert.deepEqual([plain.exitCode, plain.stdout], [0, "experiments/a cancelled step: 5/5 epoch: 1/1 tokens/s: 0\n"]);
  assert.equal((await runCommand(["wait", "a", "--exit-status", ...options])).exitCode, 1);
});

/** Ended with the test, whatever becomes of it. */
function started(t: TestContext, ...words: Parameters<typeof startCommand>) {
  const command = startCommand(...words);
  t.after(command.interrupt);
  return command;
}

/** A trainer and a ledger with one experiment of five micro-steps: it runs, steps are given, and it ends, when the test says so. */
async function system(t: TestContext, address?: string) {
  let state: Experiment = running(Experiment_State.RUNNING, 0n, "");
  const given: number[] = [];
  const cancels: string[] = [];
  let [changed, more] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const trainer = await serveContract(
    t,
    TrainerService,
    {
      async *watchExperiment(_, { signal }) {
        for (;;) {
          const wake = changed.promise;
          yield { experiment: state };
          if (state.state !== Experiment_State.RUNNING) return;
          await Promise.race([wake, aborted(signal)]);
          if (signal.aborted) return;
        }
      },
      cancelExperiment: async ({ name: asked }) => {
        cancels.push(asked);
        return state;
      },
    },
    address,
  );
  const reports = await serveContract(t, ReportService, {
    async *watchMetrics(_, { signal }) {
      for (let sent = 0; !signal.aborted; ) {
        const wake = more.promise;
        const steps = given.slice(sent).map((microStep) => ({
          microStep: BigInt(microStep),
          epoch: 1,
          lossNats: microStep,
          lossTokens: 1n,
          tokens: 10n,
          times: { totalMs: 500 },
        }));
        sent = given.length;
        yield { place: `l-${sent}`, steps };
        await Promise.race([wake, aborted(signal)]);
      }
    },
  });
  return {
    address: trainer.address,
    options: ["--trainer", trainer.address, "--report", reports.address],
    cancelled: () => cancels.length,
    give: (...steps: number[]) => {
      given.push(...steps);
      more.resolve();
      more = Promise.withResolvers();
    },
    end: (last: Experiment_State, message = "") => {
      state = running(last, 5n, message);
      changed.resolve();
      changed = Promise.withResolvers();
    },
    stopTrainer: () => trainer[Symbol.asyncDispose](),
  };
}

function running(state: Experiment_State, microStep: bigint, message: string): Experiment {
  const progress = { microStep, totalMicroSteps: 5n, epoch: 1, epochs: 1 };
  return create(ExperimentSchema, { name, state, attempt: 1, message, progress });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
