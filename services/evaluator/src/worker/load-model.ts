/** From blobs to a model that can be run: every byte by its digest, every tensor by name, type and shape. */
import { type BlobStore, verifiedRead } from "@pretrain/blobs";
import { checkpointName, readManifest, readModel, type TensorKind } from "@pretrain/checkpoint";
import { DataLoss, FailedPrecondition } from "@pretrain/errors";
import { InferenceProgram } from "@pretrain/inference-program";
import { type ModelShape, parameterShapes } from "@pretrain/model";
import type { CompleteRecipe } from "@pretrain/recipe";
import { loadTokenizer, type Tokenizer, TokenizerError } from "@pretrain/tokenizer";
import { readExperimentRecipe } from "../stores/experiment-recipe.ts";
import type { ModelSource } from "./protocol.ts";

export interface LoadedModel extends Disposable {
  /** The model with its weights, on the device. */
  readonly program: InferenceProgram;
  readonly shape: ModelShape;
  readonly tokenizer: Tokenizer;
}

/**
 * @param programs folder in which traced functions are kept; without one they are traced anew
 * @throws DataLoss naming part, tensor and fault when anything is not what its digest, its recipe or its name says;
 *   FailedPrecondition when the checkpoint was replaced, or the tokenizer is of another size than the model
 */
export async function loadModel(blobs: BlobStore, source: ModelSource, programs?: string): Promise<LoadedModel> {
  const { shape, weights } = await readWeights(blobs, source);
  const tokenizer = await readTokenizer(blobs, source, shape.vocabularySize);
  const kept = programs === undefined ? {} : { cacheFolder: programs };
  const program = new InferenceProgram({ shape, weights, ...kept });
  return { program, shape, tokenizer, [Symbol.dispose]: () => program[Symbol.dispose]() };
}

/** The weights as they are stored, by name, and the shape that the recipe gives them. @throws DataLoss and FailedPrecondition as `loadModel` does */
export async function readWeights(
  blobs: BlobStore,
  source: Pick<ModelSource, "checkpoint" | "manifestSha256">,
): Promise<{ readonly shape: ModelShape; readonly weights: ReadonlyMap<string, Float32Array> }> {
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
  return { shape, weights: float32Tensors(await readModel(blobs, { manifest }, expectedTensors(shape))) };
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

function float32Tensors(tensors: Awaited<ReturnType<typeof readModel>>): Map<string, Float32Array> {
  const read = [...tensors].map(([name, tensor]): [string, Float32Array] => {
    if (tensor.dtype !== "F32") throw new Error(`${name} is ${tensor.dtype}, though readModel let it through`);
    return [name, tensor.data];
  });
  return new Map(read);
}
