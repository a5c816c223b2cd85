/** The same prompts, each experiment's continuation beside the others'. */
import { create } from "@bufbuild/protobuf";
import { type Report, type Sample, type SampleRow, SampleRowSchema, SampleSchema } from "@pretrain/proto";
import { standingEvaluation } from "./standing-evaluation.ts";

/** Prompts that the baseline has. Whoever cannot be compared, or has not generated one of them, has an empty sample there. */
export function sampleRows(baseline: Report, candidates: readonly (Report | undefined)[]): SampleRow[] {
  const others = candidates.map((report) => samplesOf(report));
  return [...samplesOf(baseline).values()].map((own) =>
    create(SampleRowSchema, {
      rowId: own.rowId,
      inputText: own.inputText,
      trueText: own.trueText,
      samples: [own, ...others.map((samples) => samples.get(own.rowId) ?? create(SampleSchema))],
    }),
  );
}

function samplesOf(report: Report | undefined): ReadonlyMap<bigint, Sample> {
  const samples = report === undefined ? [] : (standingEvaluation(report)?.samples ?? []);
  return new Map(samples.map((sample) => [sample.rowId, sample]));
}
