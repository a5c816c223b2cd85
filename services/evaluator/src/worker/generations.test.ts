/** Continuations of a model of 15,000 parameters, against the long way to the same tokens. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument, ResourceExhausted } from "@pretrain/errors";
import { tf } from "@pretrain/tensorflow-native";
import { loadedExperiment } from "../test-support/loaded-experiment.ts";
import { greedy, plainModel } from "../test-support/plain-reference.ts";
import { tinyWeights } from "../test-support/tiny-experiment.ts";
import { Generations } from "./generations.ts";

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
  const begin = (generations: Generations, prompt: string, maxNewTokens: number) =>
    generations.begin(model, prompt, maxNewTokens, () => undefined);

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

  await t.test("what has ended gives no token, and no tensor is left of it", async () => {
    const generations = new Generations();
    const before = tf.memory().numTensors;
    const generation = begin(generations, "Call me", 5);
    await generations.next(generation);
    generations.end(generation);
    assert.equal(tf.memory().numTensors, before);
    await assert.rejects(generations.next(generation), /has ended/);
  });
});
