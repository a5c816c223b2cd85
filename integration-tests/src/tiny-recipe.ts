/** A recipe that takes seconds: the real path with a model of a few thousand parameters. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RecipeSchema } from "@pretrain/proto";

export const tinyRecipe = {
  intent: { purpose: "走完整条路径 <b>quickly</b>" },
  model: { dim: 32, nLayers: 2, nHeads: 4, nKvHeads: 2, vocabSize: 320, maxSeqLen: 64 },
  data: { path: "chapters.jsonl", validationEvery: 8, shuffle: "per_epoch" },
  training: {
    epochs: 1,
    batchSize: 8,
    accumulationSteps: 2,
    learningRate: 5e-3,
    dtype: "float32",
    saveInterval: 8,
    seed: 7,
  },
  monitoring: { profileInterval: 5, memoryMonitorInterval: 5 },
  evaluation: { samples: 3, inputLength: 20, predictLength: 20 },
  targets: [{ metric: "train/loss_reduction", comparison: ">", value: 0.05 }],
} satisfies MessageInitShape<typeof RecipeSchema>;
