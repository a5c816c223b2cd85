/** What a verification, a comparison and an explanation say at a terminal, and how they end. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ExperimentComparisonSchema,
  Incomparable_Kind,
  Verification_Check_Outcome as Outcome,
  MetricRow_Relation as Relation,
  ReportService,
  StepExplanationSchema,
  TrainerService,
  VerificationSchema,
} from "@pretrain/proto";
import { serveContract } from "../test-support/serve-contract.ts";
import { runCommand } from "../testing.ts";
import { comparisonText } from "./comparison-text.ts";
import { verificationText } from "./verification-text.ts";

test("a record that is not sound is exit code 1; each difference is named with both values", async (t) => {
  const differences = [{ place: "training.lastLoss", section: "curve", recorded: "2.44", computed: "2.43" }];
  const checks = [
    { name: "chain", outcome: Outcome.PASSED, evidence: "12 events" },
    { name: "numbers", outcome: Outcome.FAILED, evidence: "1 differs", differences },
    { name: "checkpoints", outcome: Outcome.SKIPPED, evidence: "not asked for" },
  ];
  const found = { name: "experiments/a/report", sound: false, checks, reportSha256: "aa", computedSha256: "bb" };
  const { address } = await serveContract(t, ReportService, {
    verifyReport: async () => create(VerificationSchema, found),
  });
  const { exitCode, stdout } = await runCommand(["verify", "a", "--report", address]);
  assert.equal(exitCode, 1);
  assert.equal(
    stdout,
    `✓  chain        12 events
✗  numbers      1 differs
-  checkpoints  not asked for

numbers:
place              recorded  computed  section
training.lastLoss  2.44      2.43      curve

experiments/a/report is NOT sound
report.json aa, computed bb
`,
  );
});

test("of two long lines the part is shown in which they differ", () => {
  const line = (word: string) => `<p>${"the same words ".repeat(20)}${word} and more words behind that</p>`;
  const differences = [{ place: "report.html:7", recorded: line("12.34"), computed: line("2.26") }];
  const checks = [{ name: "documents", outcome: Outcome.FAILED, differences }];
  const shown = verificationText(create(VerificationSchema, { checks }));
  assert.match(shown, /report\.html:7 +… the same words 12\.34 and more .*… +… the same words 2\.26 and more .*…\n/);
  assert.ok(shown.split("\n").every((each) => each.length < 150));
});

const indicator = (final: number) => ({ metric: "eval/loss", unit: "nats per token", final });
const tokenizer = { kind: Incomparable_Kind.TOKENIZER, baseline: "aa", candidate: "bb" };

test("a comparison has a column for each experiment, says what was shown, and why something cannot be compared", () => {
  const comparison = create(ExperimentComparisonSchema, {
    experiments: [
      { name: "experiments/a", targetsMet: 2, targets: 2 },
      { name: "experiments/b", targetsMet: 1, targets: 2 },
      { name: "experiments/c", evaluationsIncomparable: [tokenizer] },
    ],
    recipeRows: [{ field: "training.learning_rate", values: ["0.005", "0.001", ""] }],
    metricRows: [
      {
        metric: "eval/loss",
        values: [
          { indicator: indicator(2.26) },
          {
            indicator: indicator(2.21),
            difference: -0.05,
            interval: { low: -0.07, high: -0.03 },
            relation: Relation.BETTER,
          },
          { indicator: indicator(1.9), relation: Relation.NOT_COMPARABLE, reasons: [tokenizer] },
        ],
      },
    ],
  });
  assert.equal(
    comparisonText(comparison),
    `metric       a (baseline)  b                                           c
eval/loss    2.2600        2.2100 -0.0500 (-0.0700 to -0.0300) better  1.9000 not comparable
targets met  2 of 2        1 of 2                                      0 of 0

recipe                  a (baseline)  b      c
training.learning_rate  0.005         0.001  -

not comparable with the baseline:
  c: tokenizer: bb, baseline aa`,
  );
});

test("a step that is the logged one to the last bit says so; a last bit that differs is exit code 1, unless it may", async (t) => {
  const nats = 40.123456789;
  const equal = await explained(t, { lossNats: nats, lossTokens: 20n });
  assert.equal(equal.exitCode, 0);
  assert.match(
    equal.stdout,
    /\n=  loss, nats +40\.123456789 +40\.123456789\n[^]*equal to what was logged, to the last bit/,
  );
  assert.match(equal.stdout, /\n7 +3\.0000 +▅ +5 +60\.0 % +"?garbage␛"?\n/);
  assert.match(equal.stdout, /row 7: gar▁ bage█/);
  const other = { lossNats: nats + 2 ** -46, lossTokens: 20n };
  const differs = await explained(t, other);
  assert.equal(differs.exitCode, 1);
  assert.match(differs.stdout, /\n≠  loss, nats +40\.123456789 +40\.12345678900001[^]*NOT what was logged: loss, nats/);
  const elsewhere = await explained(t, { ...other, inexact: ["intra_op_threads: 2, now 4"] });
  assert.equal(elsewhere.exitCode, 0);
  assert.match(
    elsewhere.stdout,
    /not equal to the last bit \(loss, nats\), and need not be; otherwise here: intra_op_threads: 2, now 4/,
  );
});

async function explained(t: TestContext, found: MessageInitShape<typeof StepExplanationSchema>) {
  const tokens = [
    { token: 1, text: "gar", nats: 0.01 },
    { token: 2, text: "bage", nats: 14.99 },
  ];
  const rows = [{ rowId: 7n, text: "garbage\u001b", lossNats: 15, lossTokens: 5n, lossShare: 0.6, tokens }];
  const trainer = await serveContract(t, TrainerService, {
    explainStep: async ({ experiment, microStep }) =>
      create(StepExplanationSchema, { experiment, microStep, optimizerMicroStep: microStep, rows, ...found }),
  });
  const reports = await serveContract(t, ReportService, {
    async *readSteps({ fromMicroStep }) {
      yield { steps: [{ microStep: fromMicroStep, lossNats: 40.123456789, lossTokens: 20n }] };
    },
  });
  return await runCommand(["explain", "a", "5", "--trainer", trainer.address, "--report", reports.address]);
}
