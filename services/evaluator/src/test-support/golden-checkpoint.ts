/**
 * The golden model as a checkpoint of a tiny experiment. It has 64 tokens, and every tokenizer that is read here at least 259: three
 * markers and all bytes. So the model gets a vocabulary of 259 in which the new tokens are impossible, and one more group of heads to
 * make them so, without a change of any golden number:
 *
 *     axes of the stream      0 … 31 golden     32: c for each golden token, -100 for each new one     33 … 47: 0
 *
 * Nothing reads or writes the new axes but the last norm, which makes axis 32 a thousand times as large: a new token's score is then
 * some hundreds below, and the golden ones all move by the same. Each norm divides by the root of the mean over 48 axes instead of 32
 * and finds c in it: its weights and its epsilon are changed so that this cancels out.
 */
import { type GoldenConfig, type GoldenSet, type GoldenTensors, goldenShape } from "@pretrain/golden";
import { type ModelShape, parameterShapes } from "@pretrain/model";
import { type TinyExperiment, tinyExperiment, writeTinyCheckpoint } from "./tiny-experiment.ts";

const vocabularySize = 259;

export function goldenExperiment(set: GoldenSet): (blobsUrl: string) => Promise<TinyExperiment> {
  return (blobsUrl) => tinyExperiment(blobsUrl, { shape: wideShape(narrowShape(set)) });
}

/** As `experiments/tiny/checkpoints/8`. */
export async function writeGoldenCheckpoint(set: GoldenSet, experiment: TinyExperiment): Promise<void> {
  const narrow = narrowShape(set);
  const shape = wideShape(narrow);
  await writeTinyCheckpoint(experiment, { shape, weights: wideWeights(set.tensors(weightsFile), narrow, shape) });
}

export const goldenModelFiles = ["config.json", "weights.f32.safetensors"];
const [configFile, weightsFile] = ["config.json", "weights.f32.safetensors"];

function narrowShape(set: GoldenSet): ModelShape {
  const config = set.json<GoldenConfig>(configFile);
  return goldenShape(config, config.max_seq_len);
}

function wideShape(narrow: ModelShape): ModelShape {
  const { heads, keyValueHeads } = narrow;
  const dim = (narrow.dim * (keyValueHeads + 1)) / keyValueHeads;
  const normEps = (narrow.dim * narrow.normEps - constantOf(narrow) ** 2) / dim;
  return {
    ...narrow,
    vocabularySize,
    dim,
    heads: (heads / keyValueHeads) * (keyValueHeads + 1),
    keyValueHeads: keyValueHeads + 1,
    normEps,
  };
}

/** c: half of what the golden epsilon adds to the sum of squares. */
function constantOf({ dim, normEps }: ModelShape): number {
  return Math.sqrt((dim * normEps) / 2);
}

function wideWeights(golden: GoldenTensors, narrow: ModelShape, wide: ModelShape): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  for (const [name, axes] of parameterShapes(wide)) {
    const [rows = 1, columns = 1] = axes.length === 1 ? [1, ...axes] : axes;
    const { values = new Float64Array(), shape = [] } = golden.get(name) ?? {};
    const from = shape.at(-1) ?? 1;
    const scale = name.endsWith("norm.weight") ? Math.sqrt(narrow.dim / wide.dim) : 1;
    const wider = new Float32Array(rows * columns);
    for (const [index, value] of values.entries()) {
      wider[Math.floor(index / from) * columns + (index % from)] = scale * value;
    }
    weights.set(name, wider);
  }
  const embedding = weights.get("tok_embeddings.weight") ?? new Float32Array();
  for (let token = 0; token < wide.vocabularySize; token += 1) {
    embedding[token * wide.dim + narrow.dim] = token < narrow.vocabularySize ? constantOf(narrow) : -100;
  }
  weights.get("norm.weight")?.fill(1000, narrow.dim, narrow.dim + 1);
  return weights;
}
