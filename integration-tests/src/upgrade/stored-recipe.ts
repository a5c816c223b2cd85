/** Experiments whose whole estate is small enough to be kept for good: a text of our own, a model of a few thousand parameters. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RecipeSchema } from "@pretrain/proto";

const numerals = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** Rows that count: easy to learn, and nobody's text. */
export function countingRows(rows = 96): string {
  const row = (index: number) => {
    const first = numerals[index % numerals.length];
    const second = numerals[(index * 7 + 3) % numerals.length];
    return { text: `${first} and ${second}, then ${numerals.join(" ")} again: row ${index} of the counting book.` };
  };
  return Array.from({ length: rows }, (_, index) => `${JSON.stringify(row(index))}\n`).join("");
}

export function storedRecipe(epochs: number) {
  return {
    intent: { purpose: "to be read by later versions" },
    model: { dim: 16, nLayers: 1, nHeads: 2, nKvHeads: 1, vocabSize: 272, maxSeqLen: 48 },
    data: { path: "counting.jsonl", validationEvery: 8, shuffle: "per_epoch" },
    training: {
      epochs,
      batchSize: 8,
      accumulationSteps: 2,
      learningRate: 5e-3,
      dtype: "float32",
      saveInterval: 16,
      seed: 11,
    },
    monitoring: { profileInterval: 5, memoryMonitorInterval: 5 },
    evaluation: { samples: 2, inputLength: 12, predictLength: 12 },
    targets: [{ metric: "train/loss_reduction", comparison: ">", value: 0.01 }],
  } satisfies MessageInitShape<typeof RecipeSchema>;
}
