/** Greedy continuation as the evaluator makes it: a traced decoder with its cache on the device. */
import { InferenceProgram } from "@pretrain/inference-program";
import { generate, likeliest } from "@pretrain/scoring";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import type { Config, Round } from "../protocol.ts";
import { hashedTokens, hashedWeights, shapeOf } from "./hashed.ts";
import { type Served, serve, timed } from "./serve.ts";

async function prepare(config: Config): Promise<Served> {
  const shape = shapeOf(config);
  const weights = new Map([...hashedWeights(shape)].map(({ name, values }) => [name, values]));
  const program = new InferenceProgram({ shape, weights });
  weights.clear();
  const prompt = [...hashedTokens(0, config.prompt_length, shape.vocabularySize)];
  const limits = { maxNewTokens: config.new_tokens, maxSequenceLength: shape.maxSequenceLength };
  const continued = async () => {
    // awaited: a decoder is closed when this returns
    using decoder = program.decoder(config.prompt_length + config.new_tokens);
    const nextToken = (tokens: readonly number[]) => likeliest(decoder.scores(tokens));
    return await Array.fromAsync(generate(prompt, nextToken, limits));
  };
  const generated = await continued();
  const { seconds } = await timed(continued);
  const run = async (units: number): Promise<Round> => {
    const { seconds: duration } = await timed(async () => {
      for (let unit = 0; unit < units; unit += 1) await continued();
    });
    return { seconds: duration, tokens: units * config.new_tokens };
  };
  return { ready: { version: `TensorFlow ${describeTensorFlow().tensorflowVersion}`, seconds, generated }, run };
}

await serve(prepare);
