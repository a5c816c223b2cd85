/** Continuations of a model of 15,000 parameters, against the long way to the same tokens. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedPrecondition, InvalidArgument, ResourceExhausted } from "@pretrain/errors";
import { logits } from "@pretrain/model";
import { generate, sampled } from "@pretrain/scoring";
import { tf } from "@pretrain/tensorflow-native";
import { greedySampling, loadedExperiment, unstopped } from "../test-support/loaded-experiment.ts";
import { greedy, plainModel } from "../test-support/plain-reference.ts";
import { tinyShape, tinyWeights, writeTinyCheckpoint } from "../test-support/tiny-experiment.ts";
import { tinyTensors } from "../test-support/tiny-tensors.ts";
import { Generations } from "./generations.ts";
import { loadModel } from "./load-model.ts";

test("continuing a prompt, a token at a time", async (t) => {
  const { experiment, load } = await loadedExperiment(t);
  using model = await load();
  const plain = plainModel(tinyWeights(1));
  const { bos, eos } = experiment.tokenizer.specialTokens;
  const drained = async (generations: Generations, generation: number) => {
    const tokens: number[] = [];
    for (let text = ""; ; ) {
      const next = await generations.next(generation);
      if ("stopReason" in next) return { tokens, text, stopReason: next.stopReason };
      tokens.push(next.token);
      text += next.text;
    }
  };
  const begin = (generations: Generations, prompt: string, maxNewTokens: number, sampling = greedySampling) =>
    generations.begin(model, { prompt, maxNewTokens, sampling, ...unstopped }, () => undefined);

  await t.test("bos and the prompt are continued by the likeliest token each time", async () => {
    const generations = new Generations();
    const found = await drained(generations, begin(generations, "Call me", 10));
    const prompt = [bos, ...experiment.tokenizer.encode("Call me")];
    assert.deepEqual(found.tokens, greedy(plain, prompt, 10, eos));
    assert.equal(found.stopReason, found.tokens.at(-1) === eos ? "eos" : "max_new_tokens");
    assert.ok(experiment.tokenizer.decode(found.tokens, { skipSpecialTokens: true }).startsWith(found.text));
  });

  await t.test("with no new token asked for, none is made", async () => {
    const generations = new Generations();
    const { tokens, stopReason } = await drained(generations, begin(generations, "Call me", 0));
    assert.deepEqual([tokens, stopReason], [[], "max_new_tokens"]);
  });

  await t.test("the model's longest sequence ends it", async () => {
    const generations = new Generations();
    const { tokens, stopReason } = await drained(generations, begin(generations, "", 1000));
    assert.ok(stopReason === "max_sequence_length" ? tokens.length === 63 : stopReason === "eos", stopReason);
  });

  await t.test("two take turns without disturbing each other", async () => {
    const generations = new Generations();
    const [one, two] = [begin(generations, "Call me", 6), begin(generations, "Go from", 6)];
    const tokens: (number | undefined)[][] = [[], []];
    for (let turn = 0; turn < 6; turn += 1) {
      for (const [index, generation] of [one, two].entries()) {
        const next = await generations.next(generation);
        tokens[index]?.push("token" in next ? next.token : undefined);
      }
    }
    const ids = (prompt: string) => [bos, ...experiment.tokenizer.encode(prompt)];
    assert.deepEqual(tokens, [greedy(plain, ids("Call me"), 6, eos), greedy(plain, ids("Go from"), 6, eos)]);
  });

  await t.test("a prompt of as many tokens as the model has is accepted, one more is refused by name", () => {
    const [longest] = experiment.rows.filter(({ tokens }) => tokens.length === 64);
    const text = experiment.tokenizer.decode(longest?.tokens ?? [], { skipSpecialTokens: true });
    const generations = new Generations();
    begin(generations, text, 1);
    const tooLong = (error: unknown) => error instanceof InvalidArgument && error.violations[0]?.field === "prompt";
    assert.throws(() => begin(generations, `${text}${text}`, 1), tooLong);
  });

  await t.test("the fifth at once is refused, and accepted when one has ended", () => {
    const generations = new Generations();
    const first = begin(generations, "a", 1);
    for (const prompt of ["b", "c", "d"]) begin(generations, prompt, 1);
    assert.throws(() => begin(generations, "e", 1), ResourceExhausted);
    generations.end(first);
    begin(generations, "e", 1);
  });

  await t.test("what has ended gives no token, and its model is returned once", async () => {
    const generations = new Generations();
    let returned = 0;
    const text = { prompt: "Call me", maxNewTokens: 5, sampling: greedySampling, ...unstopped };
    const generation = generations.begin(model, text, () => (returned += 1));
    await generations.next(generation);
    generations.end(generation);
    generations.end(generation);
    assert.equal(returned, 1);
    await assert.rejects(generations.next(generation), /has ended/);
  });

  await t.test(
    "drawn tokens are those of the eager decoder with the same seed; another seed draws others",
    async () => {
      const drawn = async (seed: number) => {
        const generations = new Generations();
        return (
          await drained(generations, begin(generations, "Call me", 12, { temperature: 4, topK: 50, topP: 0.95, seed }))
        ).tokens;
      };
      const choose = sampled({ temperature: 4, topK: 50, topP: 0.95, seed: 7 });
      const weights = tinyTensors(tinyWeights(1));
      const eager = (tokens: readonly number[]) => {
        const scores = logits(weights, tf.tensor2d([...tokens], [1, tokens.length], "int32"), tinyShape);
        return choose(scores.dataSync<"float32">().subarray(-tinyShape.vocabularySize));
      };
      const limits = { maxNewTokens: 12, maxSequenceLength: 64, eosToken: eos };
      const prompt = [bos, ...experiment.tokenizer.encode("Call me")];
      assert.deepEqual(await drawn(7), await Array.fromAsync(generate(prompt, eager, limits)));
      assert.deepEqual(await drawn(7), await drawn(7));
      assert.notDeepEqual(await drawn(8), await drawn(7));
    },
  );
});

test("a score that is not a number ends the continuation with a reason, not with a token", async (t) => {
  const { experiment, source } = await loadedExperiment(t);
  const weights = tinyWeights(1);
  weights.get("norm.weight")?.fill(Number.NaN);
  const { manifestSha256 } = await writeTinyCheckpoint(experiment, { attempt: 2, weights });
  using model = await loadModel(experiment.blobs, { ...source, manifestSha256 });
  const generations = new Generations();
  for (const temperature of [0, 1]) {
    const text = { prompt: "Call me", maxNewTokens: 5, sampling: { ...greedySampling, temperature }, ...unstopped };
    const next = generations.next(generations.begin(model, text, () => undefined));
    await assert.rejects(next, (error) => error instanceof FailedPrecondition && error.reason === "NOT_FINITE");
  }
});
