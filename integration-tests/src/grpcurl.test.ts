/** A stranger with grpcurl and no .proto at hand: list, describe, call, and a second call that changes nothing. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { connect } from "@nats-io/transport-node";
import { grpcurlBinary } from "@pretrain/setup/grpcurl";
import { ended } from "./experiments.ts";
import { startSystem } from "./system-under-test.ts";

const run = promisify(execFile);

const recipe = {
  model: { dim: 32, n_layers: 2, n_heads: 4, n_kv_heads: 2, vocab_size: 320, max_seq_len: 64 },
  data: { path: "chapters.jsonl", validation_every: 8 },
  training: {
    epochs: 1,
    batch_size: 8,
    accumulation_steps: 2,
    learning_rate: 0.005,
    dtype: "float32",
    save_interval: 100,
  },
  evaluation: { samples: 3, input_length: 20, predict_length: 20 },
};

test("grpcurl finds its way by reflection, and a subscriber sees the metrics as JSON", async (t) => {
  if (!existsSync(grpcurlBinary)) return t.skip("no grpcurl: the set-up could not fetch it, see its output");
  const system = await startSystem(t);
  const grpcurl = async (...args: string[]) => (await run(grpcurlBinary, ["-plaintext", ...args])).stdout;
  const { trainer } = system.addresses;

  await t.test("list names every service of every port", async () => {
    for (const [address, service] of [
      [system.addresses["data-shard"], "pretrain.data.v1.DataShardService"],
      [trainer, "pretrain.train.v1.TrainerService"],
      [system.addresses.evaluator, "pretrain.eval.v1.EvaluatorService"],
      [system.addresses.report, "pretrain.report.v1.ReportService"],
    ] as const) {
      const services = (await grpcurl(address, "list")).trim().split("\n");
      assert.ok(services.includes(service) && services.includes("grpc.health.v1.Health"), services.join(" "));
    }
  });

  await t.test("describe shows a message", async () => {
    assert.match(await grpcurl(trainer, "describe", "pretrain.train.v1.Training"), /double learning_rate = 4/);
  });

  await t.test("health says SERVING", async () => {
    assert.match(await grpcurl(trainer, "grpc.health.v1.Health/Check"), /SERVING/);
  });

  await t.test("a faulty request comes back with the field and what is allowed", async () => {
    const faulty = JSON.stringify({ experiment_id: "faulty", recipe: { ...recipe, training: { learning_rate: -1 } } });
    await assert.rejects(
      grpcurl("-d", faulty, trainer, "pretrain.train.v1.TrainerService/StartExperiment"),
      (error) => {
        const text = String(error);
        assert.match(text, /InvalidArgument/);
        assert.match(text, /learning_rate/);
        return true;
      },
    );
  });

  const nats = await connect({ servers: system.natsUrl });
  t.after(() => nats.close());
  const seen: { subject: string; text: string }[] = [];
  const subscription = nats.subscribe("pretrain.metrics.>", {
    callback: (_, message) => void seen.push({ subject: message.subject, text: message.string() }),
  });
  t.after(() => subscription.unsubscribe());

  const start = JSON.stringify({ experiment_id: "by_grpcurl", recipe, request_id: "6a0e2f" });
  const first = JSON.parse(await grpcurl("-d", start, trainer, "pretrain.train.v1.TrainerService/StartExperiment"));
  await t.test("StartExperiment answers at once with the canonical name and every default", () => {
    assert.equal(first.name, "experiments/by-grpcurl");
    assert.equal(first.recipe.training.gradClip, 1);
    assert.equal(first.recipeSha256.length, 64);
  });

  await t.test("the same request_id again gives the same experiment; with another body it is refused", async () => {
    const second = JSON.parse(await grpcurl("-d", start, trainer, "pretrain.train.v1.TrainerService/StartExperiment"));
    assert.equal(second.name, first.name);
    assert.equal(second.createTime, first.createTime);
    const other = JSON.stringify({ experiment_id: "another", recipe, request_id: "6a0e2f" });
    await assert.rejects(
      grpcurl("-d", other, trainer, "pretrain.train.v1.TrainerService/StartExperiment"),
      /AlreadyExists/,
    );
  });

  await ended(system, first.name);
  await t.test("nats sub 'pretrain.metrics.>' shows a JSON object for each step", () => {
    const steps = seen
      .filter(({ subject }) => subject === "pretrain.metrics.by-grpcurl.step")
      .map(({ text }) => JSON.parse(text));
    assert.deepEqual(
      steps.map(({ microStep }) => Number(microStep)),
      steps.map((_, index) => index + 1),
    );
    assert.ok(steps.length > 10 && steps.every(({ lossNats, lossTokens }) => lossNats > 0 && Number(lossTokens) > 0));
  });
});
