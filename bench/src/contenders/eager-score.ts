/** The loss of a validation file as the evaluator's eager path computes it: rows in their order, eight side by side. */
import { type ModelShape, predictions, type Weights } from "@pretrain/model";
import { countsOfLengths, type LossSum, nextTokenLoss } from "@pretrain/scoring";
import { describeTensorFlow, tf } from "@pretrain/tensorflow-native";
import type { Config, Round } from "../protocol.ts";
import { rowsOfLengths, shapeOf } from "./hashed.ts";
import { type Served, serve, timed } from "./serve.ts";
import { weightsOnDevice } from "./weights-on-device.ts";

const rowsAtOnce = 8;

class EagerScoring {
  readonly #shape: ModelShape;
  readonly #weights: Weights;
  readonly #rows: readonly Int32Array[];

  constructor(config: Config) {
    this.#shape = shapeOf(config);
    this.#weights = weightsOnDevice(this.#shape);
    this.#rows = rowsOfLengths(config.row_lengths, config.model.vocab_size);
  }

  /** Mean over all targets of the file. */
  loss(): number {
    let [nats, targets] = [0, 0];
    for (let first = 0; first < this.#rows.length; first += rowsAtOnce) {
      const sum = tf.tidy(() => this.#lossSum(this.#rows.slice(first, first + rowsAtOnce)));
      nats += sum.nats.dataSync()[0] ?? Number.NaN;
      targets += sum.tokens.dataSync()[0] ?? Number.NaN;
      tf.dispose(sum);
    }
    return nats / targets;
  }

  #lossSum(rows: readonly Int32Array[]): LossSum {
    const lengths = Int32Array.from(rows, (row) => row.length);
    const longest = Math.max(...lengths);
    const ids = new Int32Array(rows.length * longest);
    rows.forEach((row, index) => ids.set(row, index * longest));
    const tokens = tf.tensor2d(ids, [rows.length, longest], "int32");
    const counts = countsOfLengths(tf.tensor1d(lengths, "int32"), longest);
    return nextTokenLoss(predictions(this.#weights, tokens, this.#shape), tokens, counts);
  }
}

async function prepare(config: Config): Promise<Served> {
  const scoring = new EagerScoring(config);
  const first = scoring.loss();
  const { seconds } = await timed(() => scoring.loss());
  const tokens = config.row_lengths.reduce((sum, length) => sum + length, 0);
  const run = async (units: number): Promise<Round> => {
    const scored = await timed(() => {
      for (let unit = 1; unit < units; unit += 1) scoring.loss();
      return scoring.loss();
    });
    return { seconds: scored.seconds, tokens: units * tokens, loss: scored.value };
  };
  return { ready: { version: `TensorFlow ${describeTensorFlow().tensorflowVersion}`, seconds, loss: first }, run };
}

await serve(prepare);
