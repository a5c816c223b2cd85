/** The sizes of a recipe's model, by the names that whoever computes it knows. */
import type { LlamaShape } from "@pretrain/hugging-face";
import type { ModelShape } from "@pretrain/model";
import type { CompleteRecipe } from "@pretrain/recipe";

export function modelShape(model: CompleteRecipe["model"]): ModelShape {
  return {
    vocabularySize: model.vocabSize,
    dim: model.dim,
    layers: model.nLayers,
    heads: model.nHeads,
    keyValueHeads: model.nKvHeads,
    hiddenDim: model.hiddenDim,
    normEps: model.normEps,
    ropeTheta: model.ropeTheta,
    maxSequenceLength: model.maxSeqLen,
  };
}

/** The same as other programs' files have it. */
export function llamaShapeOf(shape: ModelShape): LlamaShape {
  return { ...shape, headDim: shape.dim / shape.heads };
}
