/** Logits that another program computed, scored by the rule of this one. */
import { InvalidArgument } from "@pretrain/errors";
import { predictionLosses } from "@pretrain/scoring";
import { tf } from "@pretrain/tensorflow-native";
import type { LogitsRow } from "./protocol.ts";

/**
 * The losses of each row's predicted tokens, in nats, each by the logits of the position before it.
 *
 * @throws InvalidArgument when a token is impossible by its logits: such a loss adds up to no number
 */
export function scoreLogits(rows: readonly LogitsRow[]): Float32Array[] {
  return rows.map(({ vocabularySize, tokens, logits, inputLength, predictLength }, index) => {
    const losses = tf.tidy(() => {
      const scores = tf.tensor2d(logits, [tokens.length, vocabularySize]);
      return predictionLosses(scores, tf.tensor1d(tokens, "int32"), inputLength, predictLength);
    });
    const nats = losses.dataSync<"float32">();
    losses.dispose();
    const place = nats.findIndex((loss) => !Number.isFinite(loss));
    if (place < 0) return nats;
    const description = `the token at ${inputLength + place} costs ${nats[place]} nats by the logits before it`;
    throw new InvalidArgument([{ field: `rows[${index}].logits`, description }]);
  });
}
