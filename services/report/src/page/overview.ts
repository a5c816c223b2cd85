/** One experiment in a few numbers, from a few rows of the ledger: cheap enough to be sent several times a second. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Experiment_Reason, Experiment_ReasonSchema, Experiment_State, type StateChanged } from "@pretrain/proto";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readEvents } from "../ledger/read-history.ts";
import { readSteps } from "../ledger/read-steps.ts";
import { isFinal } from "../record/execution.ts";
import type { Step } from "../record/history.ts";
import { lossOf } from "../record/step-reader.ts";
import { type VerdictCounts, verdictCounts } from "../record/verdict-counts.ts";
import { stateName } from "../rendering/wording.ts";
import type { CurrentReports } from "../reports/current-reports.ts";

/** As JSON for the page. What is not known is left out. */
export interface Overview {
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
  readonly state: string;
  readonly isFinal: boolean;
  /** Name of `Experiment.Reason`, such as `USER`; left out where there is nothing to explain. */
  readonly reason?: string;
  readonly message: string;
  readonly createdMs?: number;
  readonly endedMs?: number;
  readonly microStep: number;
  readonly totalMicroSteps: number;
  readonly optimizerStep: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly lossNatsPerToken?: number;
  readonly tokensPerSecond?: number;
  readonly secondsLeft?: number;
  readonly lastStepMs?: number;
  readonly verdicts?: VerdictCounts;
}

/** Speed and time left are of so many last micro-steps: slow enough not to jump, fast enough to follow a change. */
const recentSteps = 50;

export function overview(ledger: Ledger, reports: CurrentReports, experiment: string): Overview | undefined {
  const transitions = readEvents(ledger, experiment, "state");
  const last = transitions.at(-1);
  if (last === undefined) return undefined;
  const first = transitions[0];
  const attempt = readEvents(ledger, experiment, "attempt").at(-1);
  const ended = isFinal(last.to);
  const verdicts = ended ? verdictsOf(ledger, reports, experiment) : undefined;
  return {
    id: experiment,
    title: first?.title || experiment,
    purpose: first?.recipe?.intent?.purpose ?? "",
    state: stateName(last.to),
    isFinal: ended,
    ...reasonOf(last),
    message: last.message,
    ...(first?.time && { createdMs: timestampMs(first.time) }),
    ...(ended && last.time && { endedMs: timestampMs(last.time) }),
    totalMicroSteps: Number(attempt?.totalMicroSteps ?? 0n),
    epochs: first?.recipe?.training?.epochs ?? 0,
    ...stepNumbers(ledger, experiment, Number(attempt?.totalMicroSteps ?? 0n), last.to === Experiment_State.RUNNING),
    ...(verdicts && { verdicts }),
  };
}

/** As its record was announced with: building the records of all that is listed would take seconds. */
function verdictsOf(ledger: Ledger, reports: CurrentReports, experiment: string): VerdictCounts | undefined {
  const announced = readEvents(ledger, experiment, "report").at(-1);
  if (announced !== undefined) {
    const { targets, targetsMet, targetsMissed } = announced;
    return { targets, met: targetsMet, missed: targetsMissed };
  }
  const report = reports.current(experiment);
  return report && verdictCounts(report.indicators);
}

function reasonOf({ reason }: StateChanged): Pick<Overview, "reason"> {
  const name = Experiment_ReasonSchema.value[reason]?.localName;
  return name === undefined || reason === Experiment_Reason.UNSPECIFIED ? {} : { reason: name };
}

function stepNumbers(ledger: Ledger, experiment: string, total: number, isRunning: boolean) {
  const steps = lastSteps(ledger, experiment);
  const last = steps.at(-1);
  if (last === undefined) return { microStep: 0, optimizerStep: 0, epoch: 0 };
  const seconds = steps.reduce((sum, { totalMs }) => sum + totalMs, 0) / 1000;
  const tokens = steps.reduce((sum, step) => sum + step.tokens, 0);
  const loss = lossOf(last);
  return {
    microStep: last.microStep,
    optimizerStep: last.optimizerStep,
    epoch: last.epoch,
    lastStepMs: last.timeMs,
    ...(loss !== undefined && { lossNatsPerToken: loss }),
    ...(seconds > 0 && { tokensPerSecond: tokens / seconds }),
    ...(isRunning && total > 0 && { secondsLeft: (Math.max(0, total - last.microStep) * seconds) / steps.length }),
  };
}

/** From the highest number back; after a resume the highest accepted ones lie lower, and are found by the second look. */
function lastSteps(ledger: Ledger, experiment: string): readonly Step[] {
  const row = ledger.database.prepare("SELECT MAX(micro_step) AS last FROM steps WHERE experiment = ?").get(experiment);
  const highest = Number(row?.["last"] ?? 0);
  const near = [...readSteps(ledger, experiment, highest - recentSteps + 1, highest)];
  if (near.length > 0 || highest === 0) return near;
  return [...readSteps(ledger, experiment)].slice(-recentSteps);
}
