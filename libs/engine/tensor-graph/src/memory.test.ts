/** Two thousand runs hold what one holds, and a state that ends gives back what it had. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { tf } from "@pretrain/tensorflow-native";
import { DeviceState, trace } from "./index.ts";

const mebi = 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Of this process, TensorFlow's included, without what only waits for the garbage collector. */
function residentMebibytes(): number {
  collectGarbage();
  const pages = Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]);
  return (pages * 4096) / mebi;
}

function middle(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;
}

test("memory stays flat over 2,000 runs, each with a quarter of a MiB fed, replaced and put out", () => {
  const large = { shape: [256, 256], dtype: "float32" } as const;
  using state = new DeviceState({ weight: large });
  const step = trace(
    "flat",
    ({ state: { weight }, feeds: { x } }) => {
      assert.ok(weight !== undefined && x !== undefined);
      const next = tf.tanh(tf.add(weight, x));
      return { state: { weight: next }, outputs: { next: tf.mul(next, 2) } };
    },
    { state, feeds: { x: large } },
  );
  const x = new Float32Array(256 * 256).fill(0.001);
  state.set({ weight: x });
  const samples = Array.from({ length: 20 }, () => {
    for (let run = 0; run < 100; run += 1) step.run({ x });
    return residentMebibytes();
  });
  // The first thousand runs fill the pools. The middle one of five, as the collector sometimes gives 20 MiB of pages back and takes them again.
  const slope = (middle(samples.slice(15)) - middle(samples.slice(10, 15))) / 500;
  // One tensor that is not given back would be 0.25 MiB a run.
  assert.ok(slope < 0.1, `${slope} MiB a run; ${samples.map(Math.round).join(" ")}`);
});

test("a state that ends gives its variables back: ten of 64 MiB, one after another, take no more than one", () => {
  const huge = { shape: [16, mebi], dtype: "float32" } as const; // 64 MiB
  const values = new Float32Array(16 * mebi).fill(1);
  const once = () => {
    using state = new DeviceState({ huge });
    state.set({ huge: values });
  };
  once(); // TensorFlow keeps what is freed, for the next one
  const before = residentMebibytes();
  for (let round = 0; round < 9; round += 1) once();
  const grown = residentMebibytes() - before;
  assert.ok(grown < 64, `${grown} MiB more`);
});
