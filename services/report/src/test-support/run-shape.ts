/** Test support: the size of a run, its name, its recipe. */
import type { Recipe } from "@pretrain/proto";
import { recipeOf } from "./run-facts.ts";

export interface RunShape {
  readonly id: string;
  readonly title: string;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly accumulation: number;
  readonly saveInterval: number;
  readonly startMs: number;
  readonly seed: number;
  readonly recipe: Recipe;
}

export const smallRun: Omit<RunShape, "recipe"> = {
  id: "1-4-0",
  title: "1.4.0",
  epochs: 3,
  stepsPerEpoch: 40,
  accumulation: 4,
  saveInterval: 40,
  startMs: Date.UTC(2026, 4, 17, 9, 30, 0),
  seed: 7,
};

/** Mean time of a micro-step of these runs. */
export const stepMs = 800;
export function runShape(given: Partial<RunShape> = {}): RunShape {
  const shape = { ...smallRun, ...given };
  return { ...shape, recipe: given.recipe ?? recipeOf(shape) };
}

export function experimentOf({ id }: Pick<RunShape, "id">): string {
  return `experiments/${id}`;
}

export function nonceOf(attemptNumber: number): string {
  return `nonce-of-attempt-${attemptNumber}`;
}
