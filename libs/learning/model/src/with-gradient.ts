/** An operation whose gradient is written by hand: `tf.customGrad`, with types that the compiler can hold us to. */
import * as tf from "@tensorflow/tfjs-core";

export interface Differentiated<Output extends tf.Tensor, Saved extends readonly tf.Tensor[]> {
  readonly value: Output;
  /**
   * Whatever `gradients` needs. Tensors made in a forward pass are gone before the backward pass begins, so one that is
   * only closed over would be read after its end.
   */
  readonly saved: Saved;
  /** The gradient with respect to each input, from that with respect to the output. */
  readonly gradients: (gradient: Output, saved: Saved) => tf.Tensor[];
}

/** `compute()` as one operation of `inputs`; what happens inside is not differentiated. */
export function withGradient<Output extends tf.Tensor, const Saved extends readonly tf.Tensor[]>(
  inputs: readonly tf.Tensor[],
  compute: () => Differentiated<Output, Saved>,
): Output {
  const operation = tf.customGrad<Output>((...inputsAndSave) => {
    const { value, saved, gradients } = compute();
    const save = inputsAndSave.at(-1);
    if (typeof save === "function") save([...saved]);
    // Tidied here, for tfjs does not: what such a gradient makes on its way would live until the last gradient is done.
    const gradFunc = (gradient: Output, kept: tf.Tensor[]) =>
      tf.tidy(() => gradients(gradient, kept as readonly tf.Tensor[] as Saved));
    return { value, gradFunc };
  });
  return operation(...inputs);
}
