/** Test support: what was fixed before experiment 1.4.0 began, its facts in words of our own. */
import { create } from "@bufbuild/protobuf";
import { type Recipe, RecipeSchema } from "@pretrain/proto";
import { completeRecipe } from "@pretrain/recipe";

export function recordedRecipe(): Recipe {
  return completeRecipe(
    create(RecipeSchema, {
      intent: { ...goal, ...design, ...choices, changes },
      model: { modelSize: 26 },
      data: { path: "dataset/stable/merged_pretrain.jsonl" },
      monitoring: { project: "MiniMind-Baseline-Experiment" },
      predictions: [
        { metric: "train/loss", low: 1.5, high: 2 },
        { metric: "train/duration_seconds", low: 4 * 3600, high: 6 * 3600 },
        { metric: "memory/peak_reserved_bytes", low: 18e9, high: 20e9 },
      ],
      targets: [
        { metric: "train/loss", comparison: "<", value: 3 },
        { metric: "train/perplexity", comparison: "<", value: 20 },
        { metric: "eval/inference_loss", comparison: "<", value: 3, excellent: 2.5 },
        { metric: "eval/quality", comparison: ">", value: 3.5 },
        { metric: "train/duration_seconds", comparison: "<", value: 15 * 3600, excellent: 12 * 3600 },
        { metric: "memory/peak_reserved_bytes", comparison: "<", value: 2e9, excellent: 1.5e9 },
      ],
    }),
  );
}

const goal = {
  purpose: "跑一次 model_original，给以后的实验一个可以对照的基准。",
  expectedResult: "一个可用的基准。",
  focus: "参数尽量取默认值。",
  problem: "知识库实验还没有可以比较的起点。",
  challenge: "基准必须是普通的 Transformer，配置要稳妥。",
  approach: "选 model_original 和默认参数，让训练平稳、可以重做。",
};

const design = {
  architectureReason: "model_original 是带前馈层的普通 Transformer，适合当基准。",
  hyperparameterReason: "沿用项目默认值(dim 512、8 层、32 个头)，以后的对比才公平。",
  dataReason: "用同一份预训练数据，关掉知识库。",
  risks: "数据路径也许要改；训练数据文件必须存在。",
  expectedPerformance: "损失应落在 1.5 到 2.0 之间。",
  expectedResources: "一张 RTX 4090，4 到 6 小时，显存 18 到 20 GB。",
};

const choices = {
  decisions: [
    {
      subject: "模型类型",
      options: ["model", "model_original", "model_no_feed"],
      choice: "model_original",
      reason: "基准要用普通结构。",
    },
    {
      subject: "训练参数",
      options: ["保守", "激进"],
      choice: "默认的保守参数",
      reason: "基准要稳、要能重做，默认值最稳妥。",
    },
    {
      subject: "知识库",
      options: ["启用", "禁用"],
      choice: "禁用",
      reason: "基准里不应该有别的机制。",
    },
  ],
  tradeOffs: [
    { between: "效果 / 资源", balance: "用批大小和梯度累积在速度与显存之间取中。" },
    { between: "稳定 / 速度", balance: "先求稳：学习率保守，梯度裁剪。" },
    { between: "新意 / 风险", balance: "基准不求新，只求可靠。" },
  ],
};

/** The two files that were named before the run; the lines of the record itself were not counted. */
const changes = {
  source: "given",
  kind: "实验配置",
  files: [
    {
      path: "run_file/experiment_1_4_0.sh",
      kind: "added",
      reason: "启动基准实验",
      keyChange: "选 model_original，关知识库，写明默认参数",
      addedLines: 336n,
      deletedLines: 0n,
    },
    { path: "experiment/EXPERIMENT_1_4_0.md", kind: "modified", reason: "写下设计", keyChange: "思路、参数、计划" },
  ],
  snippets: [
    { title: "模型", language: "ini", text: "model_type = model_original\ndisable_db = true\nuse_moe = false" },
    {
      title: "训练",
      language: "ini",
      text: "epochs = 3\nbatch_size = 128\naccumulation_steps = 8\nlearning_rate = 2e-4",
    },
  ],
  function: "第一个用 model_original 的基准。",
  performance: "给出以后比较用的数。",
  compatibility: "与现有训练程序兼容。",
  dependencies: "没有新的依赖。",
};
