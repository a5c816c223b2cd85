/** Generate over gRPC: the evaluator's process and its computing process, no worker and no work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PretrainError } from "@pretrain/errors";
import type { GenerateRequestSchema, GenerateResponse } from "@pretrain/proto";
import { greedy, plainModel } from "./test-support/plain-reference.ts";
import { startSystem } from "./test-support/running-system.ts";
import { tinyWeights, writeTinyCheckpoint } from "./test-support/tiny-experiment.ts";

test("Generate streams a continuation", async (t) => {
  const { experiment, evaluator } = await startSystem(t);
  const { client } = evaluator;
  const { tokenizer } = experiment;
  const { bos, eos } = tokenizer.specialTokens;
  await writeTinyCheckpoint(experiment);
  const checkpoint = "experiments/tiny/checkpoints/8";
  const read = (fields: MessageInitShape<typeof GenerateRequestSchema>) =>
    Array.fromAsync<GenerateResponse>(client.generate({ checkpoint, prompt: "Call me", maxNewTokens: 10, ...fields }));

  await t.test("token by token, the likeliest each time, then why it ended", async () => {
    const messages = await read({});
    const end = messages.pop();
    const tokens = messages.map(({ token }) => token);
    assert.deepEqual(tokens, greedy(plainModel(tinyWeights(1)), [bos, ...tokenizer.encode("Call me")], 10, eos));
    assert.equal(end?.stopReason, tokens.at(-1) === eos ? "eos" : "max_new_tokens");
    const text = messages.map((message) => message.text).join("");
    assert.ok(
      tokenizer.decode(tokens, { skipSpecialTokens: true }).startsWith(text) &&
        !messages.some(({ stopReason }) => stopReason),
    );
  });

  await t.test("no new token asked for: only the end", async () => {
    assert.deepEqual(
      (await read({ maxNewTokens: 0 })).map(({ stopReason }) => stopReason),
      ["max_new_tokens"],
    );
  });

  await t.test("a prompt that is longer than the model's sequences is INVALID_ARGUMENT, by name", async () => {
    await assert.rejects(read({ prompt: "Ishmael ".repeat(100) }), (error) => {
      assert.ok(error instanceof PretrainError && error.status === "INVALID_ARGUMENT", String(error));
      return error.violations[0]?.field === "prompt";
    });
  });

  await t.test("a checkpoint that is not there is NOT_FOUND", async () => {
    const missing = read({ checkpoint: "experiments/tiny/checkpoints/9" });
    await assert.rejects(missing, (error) => error instanceof PretrainError && error.status === "NOT_FOUND");
  });

  await t.test(
    "whoever goes away frees his place: a hundred that read one token and leave do not fill it",
    async () => {
      for (let caller = 0; caller < 100; caller += 1) {
        for await (const _ of client.generate({ checkpoint, prompt: "a", maxNewTokens: 50 })) break;
      }
      assert.ok((await read({ maxNewTokens: 1 })).length === 2);
    },
  );

  await t.test("the checkpoint stays loaded: all of this was one computing process", () => {
    const started = evaluator.log.filter(({ msg }) => msg === "computing process started");
    assert.equal(started.length, 1);
  });

  await t.test(
    "a computing process that is killed is UNAVAILABLE to its caller, and the next one gets another",
    async () => {
      const started = () => evaluator.log.filter(({ msg }) => msg === "computing process started");
      const stream = client.generate({ checkpoint, prompt: "a", maxNewTokens: 60 })[Symbol.asyncIterator]();
      await stream.next();
      process.kill(Number(started().at(-1)?.["child"]), "SIGKILL");
      const rest = async () => {
        while ((await stream.next()).done !== true);
      };
      await assert.rejects(rest(), (error) => error instanceof PretrainError && error.status === "UNAVAILABLE");
      assert.equal((await read({ maxNewTokens: 1 })).length, 2);
      assert.equal(started().length, 2);
    },
  );

  await t.test("with a temperature the seed decides, and what is no share of all is refused", async () => {
    const drawn = async (seed: number) =>
      (await read({ temperature: 4, topK: 100, topP: 0.9, seed })).map((each) => each.token);
    assert.deepEqual(await drawn(1), await drawn(1));
    assert.notDeepEqual(await drawn(1), await drawn(2));
    const refused = (error: unknown) => error instanceof PretrainError && error.violations[0]?.field === "top_p";
    await assert.rejects(read({ topP: 1.5 }), refused);
  });

  await t.test("what the canaries refuse is neither continued nor scored: weights that give no number", async () => {
    const weights = tinyWeights(1);
    weights.get("norm.weight")?.fill(Number.NaN);
    await writeTinyCheckpoint(experiment, { microStep: 16, weights });
    const broken = "experiments/tiny/checkpoints/16";
    for (const call of [
      () => read({ checkpoint: broken, maxNewTokens: 1 }),
      () => client.scoreText({ checkpoint: broken, text: "Call me" }),
    ]) {
      await assert.rejects(call, (error) => error instanceof PretrainError && error.status === "FAILED_PRECONDITION");
    }
    await assert.rejects(read({ checkpoint: broken, maxNewTokens: 1 }), (error) => {
      return (
        error instanceof PretrainError && error.reason === "FAILED_CERTIFICATION" && /causality/.test(error.message)
      );
    });
  });
});
