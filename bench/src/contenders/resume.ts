/**
 * A worker's start, part by part, from the process's first moment to the end of its first step. Run twice over one folder: the first
 * run leaves traced functions and a state there, the second finds them.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../protocol.ts";
import type { PartOfStart } from "../resume.ts";

const { config, folder }: { config: Config; folder: string } = JSON.parse(process.argv[2] ?? "");
const parts: PartOfStart[] = [];
let begunMs = 0; // performance.now() counts from the start of the process

part("node");
const { parameterShapes } = await import("@pretrain/model");
const { adamWNumbers } = await import("@pretrain/optim");
const { decodeSafetensors, encodeSafetensors } = await import("@pretrain/safetensors");
const { hashedTokens, hashedWeights, shapeOf } = await import("./hashed.ts");
const { lossRule, optimizerSettings } = await import("./steps.ts");
part("import of the project");
await import("@pretrain/tensorflow-native");
const { TrainingProgram } = await import("@pretrain/training-program");
part("TensorFlow and the engine");

const shape = shapeOf(config);
const optimizer = optimizerSettings(config.training);
const stateFile = join(folder, "state.safetensors");
const sides = ["weight", "first_moment", "second_moment"] as const;
const options = { shape, lossRule, optimizer, precision: config.precision, cacheFolder: folder } as const;
const program = new TrainingProgram({ ...options, rowsAtOnce: config.rows_at_once });
part("variables");
if (existsSync(stateFile)) program.set(storedState());
else program.set(firstState());
part("state: read, its digest compared, on the device");

const ids = hashedTokens(0, config.rows * config.sequence, config.model.vocab_size);
const lengths = new Int32Array(config.rows).fill(config.sequence);
program.microStep({ tokens: Uint16Array.from(ids), lengths });
part("micro-step, its function from the cache");
program.clipping();
program.update(adamWNumbers(optimizer.adamW, config.training.learning_rate, 0));
part("clipping and update, their functions from the cache");
program.microStep({ tokens: Uint16Array.from(ids), lengths });
program.clipping();
program.update(adamWNumbers(optimizer.adamW, config.training.learning_rate, 1));
part("second step, for comparison");
if (!existsSync(stateFile)) store();
console.log(JSON.stringify(parts));

function part(name: string): void {
  const nowMs = performance.now();
  parts.push({ name, seconds: (nowMs - begunMs) / 1000 });
  begunMs = nowMs;
}

function firstState() {
  const weight = new Map([...hashedWeights(shape)].map(({ name, values }) => [name, values]));
  const zeros = () => new Map([...weight].map(([name, { length }]) => [name, new Float32Array(length)]));
  return { weight, first_moment: zeros(), second_moment: zeros() };
}

function store(): void {
  const tensors = sides.flatMap((side) =>
    [...program.get(side)].map(([name, data]) => {
      const tensor = { dtype: "F32", shape: parameterShapes(shape).get(name) ?? [], data } as const;
      return [`${side}.${name}`, tensor] as const;
    }),
  );
  const bytes = Buffer.concat([...encodeSafetensors(tensors)]);
  writeFileSync(`${stateFile}.sha256`, digestOf(bytes));
  writeFileSync(stateFile, bytes);
}

function storedState() {
  const bytes = readFileSync(stateFile);
  if (digestOf(bytes) !== readFileSync(`${stateFile}.sha256`, "utf8")) throw new Error(`${stateFile} is damaged`);
  const { tensors } = decodeSafetensors(bytes, stateFile);
  const side = (prefix: string) =>
    new Map(
      [...parameterShapes(shape).keys()].map((name) => {
        const tensor = tensors.get(`${prefix}.${name}`);
        if (tensor?.dtype !== "F32") throw new Error(`${stateFile} has no ${prefix}.${name}`);
        return [name, tensor.data];
      }),
    );
  return { weight: side("weight"), first_moment: side("first_moment"), second_moment: side("second_moment") };
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
