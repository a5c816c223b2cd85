/** What tests ask of experiments: start one, wait for its end, wait for its record. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import {
  type Experiment,
  type RecipeSchema,
  type Report,
  Report_Completeness,
  ReportService,
  TrainerService,
  Verification_CheckSchema,
} from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import type { SystemUnderTest } from "./system-under-test.ts";

const limitMs = 120_000;

/** Starts an experiment and resolves with it once it has reached a final state, whichever. */
export async function trained(
  system: SystemUnderTest,
  experimentId: string,
  recipe: MessageInitShape<typeof RecipeSchema>,
): Promise<Experiment> {
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  const { name } = await trainer.startExperiment({ experimentId, recipe });
  return ended(system, name);
}

/** The experiment in its final state. */
export async function ended(system: SystemUnderTest, name: string): Promise<Experiment> {
  using trainer = connectClient(TrainerService, system.addresses.trainer);
  let last: Experiment | undefined;
  const signal = AbortSignal.timeout(limitMs);
  for await (const { experiment } of trainer.watchExperiment({ name }, { signal })) last = experiment;
  if (last === undefined) throw new Error(`the watch of ${name} ended without a word`);
  return last;
}

/** The record of an experiment once nothing can be added to it, written, and computed again from its events with the same result. */
export async function finalReport(system: SystemUnderTest, experiment: string): Promise<Report> {
  using reports = connectClient(ReportService, system.addresses.report);
  const until = performance.now() + limitMs;
  for (;;) {
    const report = await reports.getReport({ name: `${experiment}/report` });
    if (report.completeness === Report_Completeness.FINAL) break;
    if (performance.now() > until) throw new Error(`${experiment}: the record is still open after ${limitMs / 1000} s`);
    await delay(100);
  }
  const name = `${experiment}/report`;
  const { sound, checks } = await reports.verifyReport({ name });
  const failed = checks.filter(({ differences }) => differences.length > 0);
  assert.ok(sound, failed.map((check) => toJsonString(Verification_CheckSchema, check)).join("\n"));
  return await reports.getReport({ name });
}

/** Every step's loss, as sum and count: what two equal runs must agree in, number by number. */
export async function lossesOf(system: SystemUnderTest, experiment: string): Promise<number[]> {
  using reports = connectClient(ReportService, system.addresses.report);
  const { series } = await reports.queryMetrics({ experiment, metrics: ["train/loss"], maxPoints: 10_000 });
  return series[0]?.buckets.map(({ last }) => last) ?? [];
}
