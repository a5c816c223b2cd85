/** Five optimizer steps of the golden model, traced: with tfjs's kernels, with fused ones, compiled by XLA. */
import assert from "node:assert/strict";
import {
  assertClose,
  type GoldenBatch,
  type GoldenConfig,
  type GoldenSet,
  goldenBatches,
  goldenShape,
  goldenTest,
} from "@pretrain/golden";
import { adamWNumbers, type LossRule, learningRate } from "@pretrain/optim";
import { type StoredState, TrainingProgram, type TrainingProgramOptions } from "./index.ts";

/**
 * Of moments, relative to the largest of a tensor, and of weights whose first gradient is sizable. Twice the golden set's suggestion
 * for moments: after five steps of Adam one entry is 1.2e-5 off with all fused kernels, and less than 1e-5 with any one of them left out.
 */
const tolerance = { relative: 2e-5, weight: 2e-6 };

const modes = {
  micro_mean: { lossRule: "micro_mean", clip: "grad_clip" },
  token_weighted: { lossRule: "token_weighted", clip: "grad_clip" },
  wide_clip: { lossRule: "micro_mean", clip: "wide_grad_clip" },
} as const satisfies Record<string, { lossRule: LossRule; clip: keyof GoldenConfig }>;

type Way = Pick<TrainingProgramOptions, "kernels" | "xla" | "rowsAtOnce">;

const ways: readonly (readonly [name: string, way: Way])[] = [
  ["tfjs's kernels", { kernels: "plain", rowsAtOnce: 8 }],
  ["fused kernels", { kernels: "fused", rowsAtOnce: 8 }],
  ["fused kernels, a row at a time", { kernels: "fused", rowsAtOnce: 1 }],
  ["XLA", { xla: true, rowsAtOnce: 8 }],
];

for (const [name, way] of ways) {
  for (const mode of ["micro_mean", "token_weighted", "wide_clip"] as const) {
    const file = `train.${mode}.f64.safetensors`;
    const files = ["config.json", "expected.json", "weights.f32.safetensors", "batches.i32.safetensors", file];
    goldenTest("golden-model", files, `training by ${mode}, traced over ${name}, is that of float64`, (set) => {
      const config = set.json<GoldenConfig>("config.json");
      using program = goldenProgram(set, config, mode, way);
      for (const [step, expected] of expectedSteps(set, mode).entries()) {
        const batches = goldenBatches(set).slice(step * config.accumulation, (step + 1) * config.accumulation);
        for (const [index, batch] of batches.entries()) {
          const { nats, tokens } = program.microStep(rowsOf(batch));
          assertClose(nats, expected.micro[index]?.loss_sum ?? Number.NaN, { relative: 1e-5 }, `loss ${step}.${index}`);
          assert.equal(tokens, expected.micro[index]?.targets);
        }
        const { norm, clipScale } = program.clipping();
        assertClose(norm, expected.grad_norm_before_clip, { relative: 1e-5 }, `norm ${step}`);
        assertClose(clipScale, expected.clip_scale, { relative: 1e-5 }, `clip scale ${step}`);
        program.update(adamWNumbers(adamWOf(config), rateAt(step, config), step));
      }
      checkState(program, set, file, config.lr);
    });
  }
}

function goldenProgram(set: GoldenSet, config: GoldenConfig, mode: keyof typeof modes, way: Way): TrainingProgram {
  const { lossRule, clip } = modes[mode];
  const optimizer = { adamW: adamWOf(config), maxGradientNorm: config[clip] };
  const shape = goldenShape(config, config.max_seq_len);
  const program = new TrainingProgram({ shape, lossRule, optimizer, ...way });
  program.set(storedState(set));
  return program;
}

function storedState(set: GoldenSet): StoredState {
  const stored = [...set.tensors("weights.f32.safetensors")];
  const zeros = () => new Map(stored.map(([name, { values }]) => [name, new Float32Array(values.length)]));
  const weight = new Map(stored.map(([name, { values }]) => [name, Float32Array.from(values)]));
  return { weight, first_moment: zeros(), second_moment: zeros() };
}

function rowsOf({ rows, lengths }: GoldenBatch) {
  return { tokens: Uint16Array.from(rows.flat()), lengths: Int32Array.from(lengths) };
}

function adamWOf({ betas: [beta1, beta2], adam_eps: epsilon, weight_decay: weightDecay }: GoldenConfig) {
  return { beta1, beta2, epsilon, weightDecay, decayOn: "matrices" as const };
}

function rateAt(step: number, { lr, total_optimizer_steps }: GoldenConfig): number {
  return learningRate({ kind: "cosine_to_zero", peak: lr, warmupSteps: 0, totalSteps: total_optimizer_steps }, step);
}

interface ExpectedStep {
  readonly grad_norm_before_clip: number;
  readonly clip_scale: number;
  readonly micro: { loss_sum: number; targets: number }[];
}

function expectedSteps(set: GoldenSet, mode: string): ExpectedStep[] {
  const expected = set.json<{ by_dtype: Record<string, Record<string, { steps: ExpectedStep[] }>> }>("expected.json");
  const steps = expected.by_dtype["f64"]?.[mode]?.steps ?? [];
  assert.equal(steps.length, set.json<GoldenConfig>("config.json").optimizer_steps);
  return steps;
}

/** Rounding decides for the few weights whose gradient is nearly 0: those may be off by twice the rate. */
function checkState(program: TrainingProgram, set: GoldenSet, file: string, rate: number): void {
  const golden = set.tensors(file);
  const valuesOf = (name: string) => golden.get(name)?.values ?? new Float64Array();
  for (const [name, weight] of program.get("weight")) {
    const gradients = valuesOf(`step1.clipped_grad.${name}`);
    const isSizable = (_: number, index: number) => Math.abs(gradients[index] ?? 0) >= 1e-5;
    const expected = valuesOf(`step5.param.${name}`);
    assertClose(weight, expected, 2 * rate, name);
    assertClose(weight.filter(isSizable), expected.filter(isSizable), tolerance.weight, `${name}, sizable gradients`);
  }
  for (const [part, stored] of [
    ["first_moment", "exp_avg"],
    ["second_moment", "exp_avg_sq"],
  ] as const) {
    for (const [name, moment] of program.get(part)) {
      const { relative } = tolerance;
      assertClose(moment, valuesOf(`step5.${stored}.${name}`), { relative }, `${stored} of ${name}`);
    }
  }
}
