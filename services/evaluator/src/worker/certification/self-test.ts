/** The canaries without a checkpoint: a small model with drawn weights, and a tokenizer that is made on the spot. */
import { InferenceProgram, type ScoredShape } from "@pretrain/inference-program";
import { initialWeights, type ModelShape } from "@pretrain/model";
import { loadTokenizer, trainTokenizer } from "@pretrain/tokenizer";
import type { ModelCertificate } from "../../evaluation/certificate.ts";
import type { LoadedModel } from "../load-model.ts";
import { certificateOf } from "./certified.ts";

/** Small, with groups of heads and more than one layer. */
const sizes = {
  dim: 32,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  hiddenDim: 64,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxSequenceLength: 96,
} as const;

/** Narrow with few rows, wide with one, and one that is filled up. */
export function testedShapes({ maxSequenceLength }: ModelShape): ScoredShape[] {
  const narrow = Math.min(32, maxSequenceLength);
  return [
    { rows: 1, width: maxSequenceLength },
    { rows: 4, width: narrow },
  ];
}

export async function selfTest(): Promise<ModelCertificate> {
  using model = await drawnModel();
  return await certificateOf(model, testedShapes(model.shape));
}

/** @param kernels `plain`: without operations of our own */
export async function drawnModel(kernels?: "plain"): Promise<LoadedModel> {
  const tokenizer = loadTokenizer(await trainTokenizer(sentences(), { vocabularySize: 280 }));
  const shape = { ...sizes, vocabularySize: tokenizer.vocabularySize };
  const program = new InferenceProgram({
    shape,
    weights: drawnWeights(shape),
    ...(kernels !== undefined && { kernels }),
  });
  return { program, shape, tokenizer, [Symbol.dispose]: () => program[Symbol.dispose]() };
}

/** Far enough from zero that what one token costs says which token it is, and what it was predicted from. */
function drawnWeights(shape: ModelShape): Map<string, Float32Array> {
  const weights = initialWeights(shape, 1);
  return new Map(
    [...weights].map(([name, values]) => [
      name,
      values.map((value) => (name.endsWith("norm.weight") ? value : 4 * value)),
    ]),
  );
}

/** Every byte is a token anyway: a few merges more, so that some tokens are longer. */
async function* sentences(): AsyncGenerator<string> {
  yield "The ferry leaves at seven and returns at nine; the fare is the same. 渡船七点出发，九点返回。";
}
