/**
 * The model at its real size, traced: 25,829,888 parameters whose weights and tokens come from a hash that the golden file describes.
 * Loss and gradient norm in float32, and the loss in bfloat16 where the processor has units for it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { assertClose, goldenShape, goldenTest, hashedTensor, type ModelConfig } from "@pretrain/golden";
import { parameterShapes } from "@pretrain/model";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import { TrainingProgram } from "./index.ts";

interface FullSize {
  readonly config: ModelConfig;
  readonly row_lengths: number[];
  readonly rows: number[][];
  readonly f64: {
    readonly loss: number;
    readonly grad_global_norm: number;
    readonly grads: Record<string, { norm: number }>;
  };
}

const adamW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, decayOn: "matrices" } as const;

const alreadyRun = new Set<string>();

goldenTest(
  "golden-model",
  ["full_size.json"],
  "the full size, traced, has the golden loss and gradient norms",
  (set, t) => {
    const text = readFileSync(set.path("full_size.json"), "utf8");
    if (alreadyRun.has(text)) return t.skip(`${set.title}: full_size.json is the one that was already run`);
    alreadyRun.add(text);
    const golden = set.json<FullSize>("full_size.json");
    const { cpuFeatures } = describeTensorFlow();
    const float32 = gradientsOf(golden, "float32");
    assertClose(float32.loss, golden.f64.loss, { relative: 2e-6 }, "loss");
    assertClose(float32.norm, golden.f64.grad_global_norm, { relative: 1e-5 }, "global norm");
    for (const [name, { norm }] of Object.entries(golden.f64.grads)) {
      assertClose(float32.norms.get(name) ?? Number.NaN, norm, { relative: 1e-5 }, `norm of ${name}`);
    }
    if (!cpuFeatures.includes("avx512_bf16") && !cpuFeatures.includes("amx_bf16")) return; // emulated it takes minutes
    const bfloat16 = gradientsOf(golden, "bfloat16");
    assertClose(bfloat16.loss, golden.f64.loss, { relative: 0.01 }, "loss in bfloat16");
    assertClose(bfloat16.norm, golden.f64.grad_global_norm, { relative: 0.02 }, "global norm in bfloat16");
  },
);

function gradientsOf(golden: FullSize, precision: "float32" | "bfloat16") {
  const shape = goldenShape(golden.config, golden.rows[0]?.length ?? 0);
  const optimizer = { adamW, maxGradientNorm: 1 };
  using program = new TrainingProgram({ shape, lossRule: "micro_mean", optimizer, rowsAtOnce: 2, precision });
  const shapes = [...parameterShapes(shape)];
  const weight = new Map(shapes.map(([name, lengths], stream) => [name, hashedTensor(stream, lengths)]));
  const zeros = () => new Map([...weight].map(([name, { length }]) => [name, new Float32Array(length)]));
  program.set({ weight, first_moment: zeros(), second_moment: zeros() });
  const rows = { tokens: Uint16Array.from(golden.rows.flat()), lengths: Int32Array.from(golden.row_lengths) };
  const { nats, tokens } = program.microStep(rows);
  const sums = program.get("sum");
  const norms = new Map([...sums].map(([name, gradient]) => [name, euclideanNorm(gradient)]));
  assert.equal(
    tokens,
    golden.row_lengths.reduce((sum, length) => sum + length - 1, 0),
  );
  return { loss: nats / tokens, norm: program.clipping().norm, norms };
}

function euclideanNorm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)); // in float64
}
