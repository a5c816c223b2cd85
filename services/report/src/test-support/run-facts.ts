/** Test support: a recipe in two languages, a machine, a dataset. */
import { create } from "@bufbuild/protobuf";
import { DatasetReportSchema, EnvironmentSchema, type Recipe, RecipeSchema, Split } from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";
import type { RunShape } from "./run-shape.ts";

export function recipeOf(shape: Pick<RunShape, "epochs" | "accumulation" | "saveInterval">): Recipe {
  return completeRecipe(
    create(RecipeSchema, {
      intent: intent(),
      model: { dim: 128, nLayers: 4, nHeads: 8, nKvHeads: 2, maxSeqLen: 512, vocabSize: 6400, modelSize: 1.42 },
      data: { path: "moby-dick.txt", shuffle: "per_epoch" },
      training: {
        epochs: shape.epochs,
        batchSize: 8,
        accumulationSteps: shape.accumulation,
        learningRate: 1e-3,
        dtype: "float32",
        saveInterval: shape.saveInterval,
      },
      monitoring: { project: "MiniMind-Baseline-Experiment" },
      predictions: [
        { metric: "eval/loss", low: 1.5, high: 2 },
        { metric: "train/duration_seconds", low: 60, high: 180 },
      ],
      targets: [
        { metric: "train/loss", comparison: "<", value: 5, excellent: 4 },
        { metric: "train/loss_reduction", comparison: ">", value: 0.33 },
        { metric: "eval/perplexity", comparison: "<", value: 20 },
      ],
      hypotheses: [
        {
          statement: "model_original能提供稳定的baseline",
          confirmedWhen: [
            { metric: "train/loss_reduction", comparison: ">", value: 0.33 },
            { metric: "train/grad_norm_max", comparison: "<", value: 10 },
          ],
        },
      ],
    }),
  );
}

function intent() {
  return {
    purpose: "本次实验的目的是运行model_original,以获得一个baseline。",
    expectedResult: "获取baseline",
    focus: "使用最默认的参数配置,以获取一个baseline",
    problem: "需要建立一个baseline基准模型来对比后续的KnowledgeDataset实验",
    challenge: "确保baseline使用标准的Transformer架构,参数配置合理且稳定",
    approach: "使用model_original,采用最默认的配置参数,确保训练过程稳定可重现",
    architectureReason: "标准的Transformer架构,包含传统的FFN层",
    hyperparameterReason: "The project's defaults, scaled down.\nOne optimizer step is 32 rows.",
    dataReason: "A public-domain book, from a registry.",
    risks: "数据路径可能需要调整,需要确保训练数据文件存在",
    expectedPerformance: "预计loss在1.5-2.0之间收敛",
    expectedResources: "单GPU RTX 4090,约4-6小时训练时间,显存使用约18-20GB",
    decisions: [
      {
        subject: "模型类型选择",
        options: ["model", "model_original", "model_no_feed"],
        choice: "model_original",
        reason: "作为baseline需要使用标准Transformer架构",
      },
      {
        subject: "数据库功能设置",
        options: ["启用知识库", "禁用知识库"],
        choice: "禁用知识库(disable_db=true)",
        reason: "baseline应该是纯粹的Transformer",
      },
    ],
    tradeOffs: [{ between: "稳定性 / 速度", balance: "优先保证训练稳定性,使用较保守的学习率和梯度裁剪" }],
  };
}

export const environment = create(EnvironmentSchema, {
  operatingSystem: "Linux 6.1.0",
  cpu: "AMD EPYC 7B13",
  cpuFeatures: ["avx2", "fma"],
  cores: 2,
  memoryBytes: 24_000_000_000n,
  device: "CPU",
  node: "26.10.0",
  tensorflow: "2.21.0",
  tensorflowJs: "4.22.0",
  onednn: true,
  intraOpThreads: 2,
  interOpThreads: 1,
  precision: "float32",
  parallelStrategy: "none",
  pretrain: "0.1.0",
});

export const datasetReport = create(DatasetReportSchema, {
  dataset: "datasets/moby-dick-5c1f0a7e",
  sourceName: "moby-dick.txt",
  sourceSha256: "1f".repeat(32),
  sourceBytes: 1_220_150n,
  tokenizerSha256: "2e".repeat(32),
  vocabularySize: 6400,
  manifestSha256: "3d".repeat(32),
  rowsRead: 2_710n,
  rejected: [{ reason: "text_empty", rows: 3n, firstLines: [17n, 90n, 1402n] }],
  warnings: [{ reason: "replacement_character", rows: 1n, firstLines: [211n] }],
  rowsAlreadyWrapped: 0n,
  splits: [split(Split.TRAIN, 2_572n, 301_442n, 12n), split(Split.VALIDATION, 135n, 15_870n, 0n)],
  durationSeconds: 3.4,
});

function split(name: Split, rows: bigint, tokens: bigint, rowsCut: bigint) {
  const counts = { rows, tokens, rowsCut, tokensLost: rowsCut * 31n, targets: tokens - rows, textBytes: tokens * 4n };
  return { split: name, ...counts, paddingShare: 0.7711, paddedIdsSha256: "4c".repeat(32) };
}
