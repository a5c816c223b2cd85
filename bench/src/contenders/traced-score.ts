/** The loss of a validation file as the evaluator computes it: traced functions, rows of like length side by side. */
import { InferenceProgram } from "@pretrain/inference-program";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import type { Config, Round } from "../protocol.ts";
import { hashedWeights, rowsOfLengths, shapeOf } from "./hashed.ts";
import { type Served, serve, timed } from "./serve.ts";

async function prepare(config: Config): Promise<Served> {
  const shape = shapeOf(config);
  const weights = new Map([...hashedWeights(shape)].map(({ name, values }) => [name, values]));
  const program = new InferenceProgram({ shape, weights });
  weights.clear();
  const rows = rowsOfLengths(config.row_lengths, config.model.vocab_size);
  const scored = () => meanOf(program.losses(rows));
  const loss = scored();
  const { seconds } = await timed(scored);
  const tokens = config.row_lengths.reduce((sum, length) => sum + length, 0);
  const run = async (units: number): Promise<Round> => {
    const { seconds: duration, value } = await timed(() => {
      for (let unit = 1; unit < units; unit += 1) scored();
      return scored();
    });
    return { seconds: duration, tokens: units * tokens, loss: value };
  };
  return { ready: { version: `TensorFlow ${describeTensorFlow().tensorflowVersion}`, seconds, loss }, run };
}

/** Over all targets of the file, in float64. */
function meanOf(losses: readonly Float32Array[]): number {
  const nats = losses.reduce((sum, ofRow) => ofRow.reduce((within, each) => within + each, sum), 0);
  return nats / losses.reduce((count, { length }) => count + length, 0);
}

await serve(prepare);
