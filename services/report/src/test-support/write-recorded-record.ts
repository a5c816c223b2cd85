/**
 * Writes the five files of the record of experiment 1.4.0, computed from its recorded figures, so that a person can look at them:
 *
 *     node services/report/src/test-support/write-recorded-record.ts <folder>
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildReport } from "../record/build-report.ts";
import { renderRecord } from "../rendering/render-record.ts";
import { recordedRun } from "./recorded-run.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [folder] = positionals;
if (folder === undefined || positionals.length > 1) {
  console.error("one folder is expected: node services/report/src/test-support/write-recorded-record.ts <folder>");
  process.exit(2);
}

const steps = {
  per_epoch: 57_795,
  epochs: 3,
  total: 173_385,
  optimizer_steps_counted_over_the_run: 21_673,
  tokens_per_micro_step: 65_536,
};
const { json, documents } = renderRecord(buildReport(recordedRun({ steps, wall_time: { seconds: 42_180 } })));
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries({ "report.json": json, ...documents })) {
  writeFileSync(join(folder, name), text);
  console.log(join(folder, name));
}
