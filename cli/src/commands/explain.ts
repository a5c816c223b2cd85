/** `explain`: a past micro-step, computed again, beside what the ledger has of it. */
import { NotFound } from "@pretrain/errors";
import { ReportService, StepExplanationSchema, type StepMetric, TrainerService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import type { Command } from "commander";
import { differencesFromLog, explanationText } from "../record/explanation-text.ts";
import { experimentNamed } from "../resource-names.ts";
import { connect, type ServiceOptions } from "../service-addresses.ts";
import { type AnswerOptions, answer } from "../terminal/answer.ts";
import { exitCodes } from "../terminal/exit-codes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { wholeNumber } from "./numbers.ts";

type ExplainOptions = AnswerOptions & ServiceOptions<"trainer" | "report"> & { readonly rows: number };

export function addExplainCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "explain <experiment>",
    description:
      "compute a past micro-step again: its rows, the most costly first; exit code 1 when it is not what was logged, to the last bit",
    calls: ["trainer", "report"],
    example: "explain 1.4.0 4096 --rows 3",
  })
    .argument("<micro-step>", "counted from 1, over all epochs", wholeNumber(1))
    .option("--rows <count>", "rows whose tokens are shown", wholeNumber(1), 3)
    .action(async (experiment: string, microStep: number, options: ExplainOptions) =>
      explain(experimentNamed(experiment), BigInt(microStep), options, terminal),
    );
}

/** All micro-steps from the checkpoint on are computed again: with thousands of them between, that takes hours. */
const patienceMs = 24 * 3_600_000;

async function explain(
  experiment: string,
  microStep: bigint,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<void> {
  using trainer = connect(TrainerService, "trainer", options, { maximumResponseBytes: 64 * 2 ** 20 });
  using reports = connect(ReportService, "report", options);
  const logged = await loggedStep(reports, experiment, microStep);
  const request = { experiment, microStep, detailedRows: options.rows };
  const explained = await trainer.explainStep(request, { timeoutMs: patienceMs });
  const ending =
    explained.optimizerMicroStep === microStep || explained.optimizerMicroStep === 0n
      ? logged
      : await loggedStep(reports, experiment, explained.optimizerMicroStep).catch(() => undefined);
  const hasColors = terminal.stdout.isTTY === true && terminal.stdout.hasColors?.(256) === true;
  answer(terminal, options, StepExplanationSchema, explained, () =>
    explanationText(explained, { logged, ending }, hasColors),
  );
  const isExact = explained.inexact.length === 0;
  if (isExact && differencesFromLog(explained, { logged, ending }).length > 0) terminal.exitCode = exitCodes.failed;
}

/** @throws NotFound when the ledger does not have it */
async function loggedStep(
  reports: Pick<PretrainClient<typeof ReportService>, "readSteps">,
  experiment: string,
  microStep: bigint,
): Promise<StepMetric> {
  const request = { experiment, fromMicroStep: microStep, toMicroStep: microStep };
  for await (const { steps } of reports.readSteps(request)) {
    const found = steps.find((step) => step.microStep === microStep);
    if (found !== undefined) return found;
  }
  const message = `the ledger has no micro-step ${microStep} of ${experiment}; "pretrain show" says how far it is`;
  throw new NotFound("STEP_NOT_FOUND", message, { experiment, microStep: String(microStep) });
}
