/** What a recipe means where it says nothing: the defaults written in recipe.proto, one by one. */
import { clone, create } from "@bufbuild/protobuf";
import {
  type Data,
  DataSchema,
  type EvaluationPlan,
  EvaluationPlanSchema,
  type Hardware,
  HardwareSchema,
  type Intent,
  IntentSchema,
  type Model,
  ModelSchema,
  type Monitoring,
  MonitoringSchema,
  type Recipe,
  RecipeSchema,
  type Training,
  TrainingSchema,
} from "@pretrain/proto";

type Complete<M> = M & { [K in Exclude<keyof M, "$unknown">]-?: NonNullable<M[K]> };

/** A recipe in which every field is there. */
export type CompleteRecipe = Recipe & {
  readonly intent: NonNullable<Recipe["intent"]>;
  readonly model: Complete<Model>;
  readonly data: Complete<Data>;
  readonly training: Complete<Training>;
  readonly hardware: Complete<Hardware>;
  readonly monitoring: Complete<Monitoring>;
  readonly evaluation: Complete<EvaluationPlan>;
};

/** The recipe with every default written out; a new message, its own defaults unchanged by a second time. */
export function withDefaults(given: Recipe): CompleteRecipe {
  const recipe = clone(RecipeSchema, given);
  const training = filled(create(TrainingSchema, recipe.training), trainingDefaults);
  return Object.assign(recipe, {
    intent: completeIntent(create(IntentSchema, recipe.intent)),
    model: completeModel(create(ModelSchema, recipe.model)),
    data: completeData(create(DataSchema, recipe.data)),
    training,
    hardware: filled(create(HardwareSchema, recipe.hardware), {
      ...hardwareDefaults,
      mixedPrecision: training.dtype === "bfloat16" ? "bf16" : "no",
    }),
    monitoring: filled(create(MonitoringSchema, recipe.monitoring), monitoringDefaults),
    evaluation: filled(create(EvaluationPlanSchema, recipe.evaluation), evaluationDefaults),
  });
}

function completeIntent(intent: Intent): Intent {
  if (intent.changes !== undefined) intent.changes.source ||= "given";
  return intent;
}

/** `message` with what it leaves out; what it says stays. */
function filled<M extends object, D extends Partial<M>>(message: M, defaults: D): M & D {
  const said = Object.entries(message).filter(([, value]) => value !== undefined);
  return Object.assign(message, { ...defaults, ...Object.fromEntries(said) });
}

const modelDefaults = {
  modelType: "model_original",
  dim: 512,
  nLayers: 8,
  nHeads: 32,
  nKvHeads: 8,
  multipleOf: 64,
  maxSeqLen: 512,
  vocabSize: 6400,
  normEps: 1e-5,
  ropeTheta: 1e6,
  useMoe: false,
  disableDb: true,
  knowledgeNum: 1_048_576,
  knowledgeLength: 32,
  modelSize: 0,
};

function completeModel(given: Model): Complete<Model> {
  const model = filled(given, modelDefaults);
  return filled(model, { hiddenDim: feedForwardWidth(model.dim, model.multipleOf) });
}

/** Two thirds of four times the width, since SwiGLU has three matrices in place of two, rounded up. 1408 for 512. */
function feedForwardWidth(dim: number, multipleOf: number): number {
  return multipleOf * Math.ceil(Math.floor((2 * 4 * dim) / 3) / multipleOf);
}

function completeData(given: Data): Complete<Data> {
  const data = filled(given, {
    validationPath: "",
    tokenizerPath: "",
    cut: "after_wrap",
    minimumRowCharacters: 400,
    numWorkers: 1,
    shuffle: "none",
  });
  return filled(data, { format: formatOf(data.path), validationEvery: data.validationPath === "" ? 20 : 0 });
}

/** By the file's ending; empty where it says nothing, which is refused later by name. */
function formatOf(path: string): string {
  if (/\.jsonl$/i.test(path)) return "jsonl";
  return /\.txt$/i.test(path) ? "text" : "";
}

const trainingDefaults = {
  epochs: 3,
  batchSize: 128,
  accumulationSteps: 8,
  learningRate: 2e-4,
  warmupIters: 0,
  schedule: "cosine_to_zero",
  gradClip: 1,
  dtype: "bfloat16",
  beta1: 0.9,
  beta2: 0.95,
  adamEps: 1e-8,
  weightDecay: 0.1,
  decayOn: "matrices",
  lossRule: "micro_mean",
  seed: 42,
  saveInterval: 10_000,
  lastAccumulation: "carry",
  embeddingEpoch: 2,
  keepLast: 0,
  keepBest: 0,
  keepEvery: 0,
  earlyStoppingPatience: 0,
  earlyStoppingMinDelta: 0,
};

const hardwareDefaults = { cudaVisibleDevices: "0", numProcesses: 1, deviceBatchRows: 0 };

const monitoringDefaults = {
  logInterval: 1,
  profile: true,
  profileInterval: 10,
  memoryMonitorInterval: 10,
  project: "",
};

const evaluationDefaults = {
  samples: 10,
  inputLength: 100,
  predictLength: 100,
  batchRows: 8,
  consistentGap: 0.5,
  context: 0,
  stride: 0,
};
