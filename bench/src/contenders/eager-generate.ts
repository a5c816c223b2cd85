/** Greedy continuation as the evaluator's eager path makes it, with keys and values kept. */
import { generate, greedyDecoder } from "@pretrain/scoring";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import type { Config, Round } from "../protocol.ts";
import { hashedTokens, shapeOf } from "./hashed.ts";
import { type Served, serve, timed } from "./serve.ts";
import { weightsOnDevice } from "./weights-on-device.ts";

async function prepare(config: Config): Promise<Served> {
  const shape = shapeOf(config);
  const weights = weightsOnDevice(shape);
  const prompt = [...hashedTokens(0, config.prompt_length, shape.vocabularySize)];
  const limits = { maxNewTokens: config.new_tokens, maxSequenceLength: shape.maxSequenceLength };
  const continued = async () => {
    using decoder = greedyDecoder(weights, shape);
    return await Array.fromAsync(generate(prompt, decoder.nextToken, limits));
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
