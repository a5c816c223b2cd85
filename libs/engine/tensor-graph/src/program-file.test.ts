/** A stored program is the program, or an error. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DataLoss, InvalidArgument } from "@pretrain/errors";
import { tf } from "@pretrain/tensorflow-native";
import { temporaryDirectory } from "@pretrain/testing";
import fc from "fast-check";
import { DeviceState, loadProgram, printed, storeProgram, TracedFunction, traceProgram } from "./index.ts";

const specs = { weight: { shape: [2, 2], dtype: "float32" }, count: { shape: [], dtype: "int32" } } as const;

const program = traceProgram(
  "stored",
  ({ state: { weight }, feeds: { x } }) => ({
    state: { weight: tf.mul(weight ?? 0, 2) },
    outputs: { product: tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D), isLarge: tf.greater(x ?? 0, 2) },
  }),
  { state: { specs }, feeds: { x: { shape: [1, 2], dtype: "float32" } } },
);

test("a program that is loaded prints and runs as the one that was stored", (t) => {
  const path = join(temporaryDirectory(t), "stored.program");
  storeProgram(path, program);
  const loaded = loadProgram(path);
  assert.equal(printed(loaded), printed(program));
  using state = new DeviceState(specs);
  state.set({ weight: Float32Array.of(1, 2, 3, 4) });
  const run = () => new TracedFunction(loaded, state).run({ x: Float32Array.of(1, 10) });
  assert.deepEqual(run(), { product: Float32Array.of(31, 42), isLarge: Uint8Array.of(0, 1) });
  assert.deepEqual(run()["product"], Float32Array.of(62, 84));
});

test("storing replaces a program whole, and leaves no other file", (t) => {
  const folder = temporaryDirectory(t);
  const path = join(folder, "stored.program");
  writeFileSync(path, "what was there before");
  storeProgram(path, program);
  assert.deepEqual(loadProgram(path).name, program.name);
  assert.deepEqual(readdirSync(folder), ["stored.program"]);
});

test("a program that cannot be put in its place leaves no file", (t) => {
  const folder = temporaryDirectory(t);
  const path = join(folder, "missing", "stored.program");
  assert.throws(() => storeProgram(path, program), { code: "ENOENT" });
  assert.deepEqual(readdirSync(folder), []);
});

test("a file that holds no program, and one of another version, are refused by name", (t) => {
  const path = join(temporaryDirectory(t), "other");
  for (const content of ["", "tensor", "tensor-graph/2\n", "{}"]) {
    writeFileSync(path, content);
    assert.throws(
      () => loadProgram(path),
      (error) => error instanceof InvalidArgument && error.message.includes(path),
    );
  }
  assert.throws(() => loadProgram(`${path}.missing`), { code: "ENOENT" });
});

test("a changed bit or a missing end, wherever it is, is a loss that is noticed", (t) => {
  const folder = temporaryDirectory(t);
  const [path, damaged] = [join(folder, "whole"), join(folder, "damaged")];
  storeProgram(path, program);
  const whole = readFileSync(path);
  const [magicBytes, bit] = ["tensor-graph/1\n".length, fc.integer({ min: 0, max: 7 })];
  fc.assert(
    fc.property(fc.integer({ min: magicBytes, max: whole.length - 1 }), bit, (at, which) => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << which), at);
      for (const content of [bytes, whole.subarray(0, at)]) {
        writeFileSync(damaged, content);
        assert.throws(
          () => loadProgram(damaged),
          (error) => error instanceof DataLoss && error.message.includes(damaged),
        );
      }
    }),
    { numRuns: 50 },
  );
});

test("a program over other variables than the state has is refused by name", () => {
  using other = new DeviceState({ weight: { shape: [4], dtype: "float32" } });
  assert.throws(() => new TracedFunction(program, other), {
    name: "TypeError",
    message: "the variable weight must be float32[2, 2], is float32[4]",
  });
  using missing = new DeviceState({});
  assert.throws(() => new TracedFunction(program, missing), { message: /weight must be float32\[2, 2\], is missing/ });
});
