/** From blobs to a model that can be run: every byte by its digest, every tensor by name, type and shape. */
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { checkpointName, readManifest, readModel, type TensorKind } from "@pretrain/checkpoint";
import { DataLoss, FailedPrecondition } from "@pretrain/errors";
import { type ModelShape, parameterShapes, type Weights } from "@pretrain/model";
import type { CompleteRecipe } from "@pretrain/recipe";
import { tf } from "@pretrain/tensorflow-native";
import { loadTokenizer, type Tokenizer, TokenizerError } from "@pretrain/tokenizer";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";
import type { ModelSource } from "./protocol.ts";

export interface LoadedModel extends Disposable {
  readonly weights: Weights;
  readonly shape: ModelShape;
  readonly tokenizer: Tokenizer;
}

/**
 * @throws DataLoss naming part, tensor and fault when anything is not what its digest, its recipe or its name says;
 *   FailedPrecondition when the checkpoint was replaced, or the tokenizer is of another size than the model
 */
export async function loadModel(blobs: BlobStore, source: ModelSource): Promise<LoadedModel> {
  const { manifest, manifestSha256 } = await readManifest(blobs, source.checkpoint);
  const name = checkpointName(source.checkpoint);
  if (manifestSha256 !== source.manifestSha256) {
    const message = `${name}: its manifest's SHA-256 is now ${manifestSha256}, ${source.manifestSha256} was asked for`;
    throw new FailedPrecondition("CHECKPOINT_REPLACED", message, { checkpoint: name });
  }
  const { recipe, sha256 } = await readExperimentRecipe(blobs, source.checkpoint.experiment);
  if (sha256 !== manifest.recipeSha256) {
    const message = `${name}: belongs to the recipe ${manifest.recipeSha256}, the experiment's is ${sha256}`;
    throw new DataLoss("CHECKPOINT_FOREIGN", message, { checkpoint: name });
  }
  const shape = modelShape(recipe.model);
  const tokenizer = await readTokenizer(blobs, source, shape.vocabularySize);
  const weights = weightsOnDevice(await readModel(blobs, { manifest }, expectedTensors(shape)));
  return { weights, shape, tokenizer, [Symbol.dispose]: () => tf.dispose(weights) };
}

function modelShape(model: CompleteRecipe["model"]): ModelShape {
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

function expectedTensors(shape: ModelShape): ReadonlyMap<string, TensorKind> {
  return new Map([...parameterShapes(shape)].map(([name, lengths]) => [name, { dtype: "F32", shape: lengths }]));
}

async function readTokenizer(
  blobs: BlobStore,
  { tokenizerBlob, tokenizerSha256 }: ModelSource,
  vocabularySize: number,
): Promise<Tokenizer> {
  const tokenizer = usable(await verifiedRead(blobs, tokenizerBlob, tokenizerSha256), tokenizerBlob);
  if (tokenizer.vocabularySize === vocabularySize) return tokenizer;
  const sizes = `the tokenizer has ${tokenizer.vocabularySize} entries, the model ${vocabularySize}`;
  throw new FailedPrecondition("TOKENIZER_FOREIGN", sizes, { tokenizer: tokenizerSha256 });
}

function usable(json: Uint8Array, blob: string): Tokenizer {
  try {
    return loadTokenizer(json);
  } catch (cause) {
    if (!(cause instanceof TokenizerError)) throw cause;
    throw new FailedPrecondition(
      "TOKENIZER_UNREADABLE",
      `${blob} is no tokenizer that is read here`,
      { blob },
      { cause },
    );
  }
}

function weightsOnDevice(tensors: Awaited<ReturnType<typeof readModel>>): Weights {
  const onDevice = [...tensors].map(([name, tensor]): [string, tf.Tensor] => {
    if (tensor.dtype !== "F32") throw new Error(`${name} is ${tensor.dtype}, though readModel let it through`);
    return [name, tf.tensor(tensor.data, [...tensor.shape], "float32")];
  });
  return Object.fromEntries(onDevice);
}
