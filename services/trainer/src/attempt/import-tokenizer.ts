/** Whether the ids of the data mean to imported weights what they meant in training. */
import { type Dataset, type Origin, Experiment_Reason as Reason } from "@pretrain/proto";
import { ExperimentFault } from "./faults.ts";

/** @throws ExperimentFault INVALID_INPUT when the weights came with another tokenizer.json than the data is packed with */
export function expectTokenizer(origin: Origin | undefined, { tokenizerSha256 }: Dataset): void {
  const { source, tokenizerSha256: expected } = origin?.imported ?? {};
  if (!expected || expected === tokenizerSha256) return;
  const found = `its tokenizer.json has the SHA-256 ${tokenizerSha256}, the one in ${source} ${expected}`;
  throw new ExperimentFault(Reason.INVALID_INPUT, `recipe.data.tokenizer_path: ${found}; import it with that one`);
}
