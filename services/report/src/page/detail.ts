/** What the page shows of one experiment beside its curves and the sections of its record, in the same words as these. */
import { type Report, Warning_KindSchema } from "@pretrain/proto";
import { fixed, metricValue } from "../rendering/figures.ts";

export interface Detail {
  /** By metric, as text; only those that are there. */
  readonly numbers: Readonly<Record<string, string>>;
  readonly environment: string;
  readonly parameters: string;
  /** Bound of the target on the training loss. */
  readonly lossTarget?: number;
  /** 0 before an attempt has counted them. */
  readonly stepsPerEpoch: number;
  readonly learningRate?: number;
  readonly checkpoints: readonly { readonly name: string; readonly microStep: number; readonly isRemoved: boolean }[];
  readonly warnings: readonly {
    readonly kind: string;
    readonly firstMicroStep: number;
    readonly lastMicroStep: number;
  }[];
  /** What is to be done: those that no later annotation has taken the place of. */
  readonly actions: readonly { readonly name: string; readonly text: string; readonly isDone: boolean }[];
}

export function detail(report: Report): Detail {
  const { environment, training, recipe } = report;
  const lossTarget = report.indicators.find(({ metric }) => metric === "train/loss")?.target?.value;
  return {
    ...(lossTarget !== undefined && { lossTarget }),
    stepsPerEpoch: Number(report.execution?.attempts.at(-1)?.microStepsPerEpoch ?? 0n),
    ...(recipe?.training?.learningRate !== undefined && { learningRate: recipe.training.learningRate }),
    numbers: Object.fromEntries(
      report.indicators.flatMap(({ metric, final }) =>
        final === undefined ? [] : [[metric, metricValue(metric, final)]],
      ),
    ),
    environment:
      environment === undefined
        ? ""
        : [environment.device, environment.cpu, environment.precision].filter(Boolean).join(" · "),
    parameters: training && training.parameters > 0n ? `${fixed(Number(training.parameters) / 1e6, 2)} M` : "",
    checkpoints: report.checkpoints.map(({ name, microStep, deleteTime }) => ({
      name,
      microStep: Number(microStep),
      isRemoved: deleteTime !== undefined,
    })),
    warnings: report.warnings.map(({ kind, firstMicroStep, lastMicroStep }) => ({
      kind: Warning_KindSchema.value[kind]?.name ?? "",
      firstMicroStep: Number(firstMicroStep),
      lastMicroStep: Number(lastMicroStep),
    })),
    actions: openActions(report),
  };
}

function openActions({ annotations }: Report): Detail["actions"] {
  const superseded = new Set(annotations.map(({ supersedes }) => supersedes));
  return annotations.flatMap(({ name, content }) =>
    content.case === "action" && !superseded.has(name)
      ? [{ name, text: content.value.text, isDone: content.value.done }]
      : [],
  );
}
