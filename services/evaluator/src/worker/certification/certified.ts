/**
 * Whether a loaded model's numbers can be believed: proven once for each model and each shape in which it scores, in this process, by
 * the functions that score and generate.
 */
import { FailedPrecondition } from "@pretrain/errors";
import type { ScoredShape } from "@pretrain/inference-program";
import { describeTensorFlow } from "@pretrain/tensorflow-native";
import { type CanaryResult, failureOf, type ModelCertificate } from "../../evaluation/certificate.ts";
import type { LoadedModel } from "../load-model.ts";
import { shapeName } from "./canary.ts";
import { codeSha256 } from "./code-digest.ts";
import { examined, worstOfEach } from "./examine.ts";

/** What was found of a model so far. */
interface Proven {
  readonly shapes: Map<string, ScoredShape>;
  results: readonly CanaryResult[];
  seconds: number;
}

const proven = new WeakMap<LoadedModel, Proven>();

/** For a model that has scored nothing yet, as before a text is generated. */
const leastShape = (model: LoadedModel) => ({ rows: 1, width: Math.min(32, model.shape.maxSequenceLength) });

/** Every canary, also those that failed. @param shapes besides those proven before; by default all in which the model has scored */
export async function certificateOf(
  model: LoadedModel,
  shapes: readonly ScoredShape[] = model.program.scoredShapes(),
): Promise<ModelCertificate> {
  const known = proven.get(model) ?? { shapes: new Map(), results: [], seconds: 0 };
  proven.set(model, known);
  const asked = shapes.length === 0 && known.shapes.size === 0 ? [leastShape(model)] : shapes;
  const unproven = asked.filter((shape) => !known.shapes.has(shapeName(shape)));
  if (unproven.length > 0) {
    const start = performance.now();
    const widest = widestOf(unproven, [...known.shapes.values()]);
    known.results = worstOfEach([...known.results, ...(await examined(model, { each: unproven, widest }))]);
    for (const shape of unproven) known.shapes.set(shapeName(shape), shape);
    known.seconds += (performance.now() - start) / 1000;
  }
  return {
    canaries: known.results,
    codeSha256: codeSha256(),
    device: describeTensorFlow().device,
    precision: "float32",
    shapes: [...known.shapes.keys()],
    seconds: known.seconds,
  };
}

/** Undefined when one as wide was examined before. */
function widestOf(shapes: readonly ScoredShape[], before: readonly ScoredShape[]): ScoredShape | undefined {
  const widest = shapes.reduce((most, shape) => (shape.width > most.width ? shape : most));
  return before.some(({ width }) => width >= widest.width) ? undefined : widest;
}

/** @throws FailedPrecondition FAILED_CERTIFICATION with the canaries that failed: then no number may be shown, and no text */
export async function certified(model: LoadedModel, shapes?: readonly ScoredShape[]): Promise<ModelCertificate> {
  const certificate = await certificateOf(model, shapes);
  const failure = failureOf(certificate);
  if (failure === undefined) return certificate;
  throw new FailedPrecondition("FAILED_CERTIFICATION", failure);
}
