/** The main job: from StartExperiment to a record that is final, with its numbers found again in events and files. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromJsonString } from "@bufbuild/protobuf";
import {
  Canary_Outcome,
  Evaluation_State,
  EvaluatorService,
  Experiment_State,
  RenderReportRequest_Format,
  ReportService,
  TrainerService,
  Verdict,
  type Verification,
  Verification_Check_Outcome,
  VerificationSchema,
} from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { temporaryDirectory, until } from "@pretrain/testing";
import { finalReport, lossesOf, trained } from "./experiments.ts";
import { exported } from "./exported-numbers.ts";
import { faultsOf, scrape } from "./exposition.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";
import { startTraceCollector } from "./trace-collector.ts";

const root = join(import.meta.dirname, "..", "..");
const [monitoring, docs] = [join(root, "deploy", "monitoring"), join(root, "docs")];
const patience = { timeoutMs: 60_000 };

test("an experiment goes from its request to a final record", async (t) => {
  const collector = await startTraceCollector(t);
  const system = await startSystem(t, collector.environment);
  const experiment = await trained(system, "main.job", tinyRecipe);
  const report = await finalReport(system, experiment.name);

  await t.test("the id's canonical spelling is used everywhere, the author's is kept as the title", () => {
    assert.equal(experiment.name, "experiments/main-job");
    assert.equal(experiment.title, "main.job");
    assert.equal(report.title, "main.job");
  });

  await t.test(
    "its files have one folder in the store; beside it lie what runs share and the trainer's copies",
    async () => {
      const blobs = fileURLToPath(system.blobsUrl);
      const entries = await readdir(blobs, { recursive: true, withFileTypes: true });
      const files = entries.flatMap((each) =>
        each.isFile() ? [relative(blobs, join(each.parentPath, each.name))] : [],
      );
      const own = files.filter((file) => file.startsWith("experiments/main-job/"));
      for (const part of ["recipe.json", "attempts/", "checkpoints/", "evaluations/", "report/report.zh.html"])
        assert.ok(
          own.some((file) => file.startsWith(`experiments/main-job/${part}`)),
          part,
        );
      const beside = files.filter((file) => !own.includes(file) && !/^(datasets|tokenizers|requests|\.)/.test(file));
      assert.deepEqual(
        beside.filter((file) => !file.startsWith("records/experiments/main-job/")),
        [],
      );
    },
  );

  await t.test("it completes, after as many micro-steps as rows and batch size make", () => {
    assert.equal(experiment.state, Experiment_State.COMPLETED);
    const rows = Number(report.dataset?.splits[0]?.rows);
    assert.equal(Number(report.training?.microSteps), Math.ceil(rows / 8));
    assert.equal(Number(report.training?.optimizerSteps), Math.floor(Math.ceil(rows / 8) / 2));
  });

  await t.test("the recipe in the record has every default written out, and the person's text word for word", () => {
    assert.equal(report.recipe?.training?.beta2, 0.95);
    assert.equal(report.recipe?.model?.hiddenDim, 128);
    assert.equal(report.recipe?.intent?.purpose, tinyRecipe.intent.purpose);
  });

  await t.test("no step is missing from the ledger, and the first loss is near ln V", async () => {
    assert.deepEqual(report.gaps, []);
    const losses = await lossesOf(system, experiment.name);
    assert.equal(losses.length, Number(report.training?.microSteps));
    assert.equal(losses[0], report.training?.firstLoss);
    assert.equal(losses.at(-1), report.training?.lastLoss);
    assert.ok(Math.abs((losses[0] ?? 0) - Math.log(320)) < 0.5, `first loss ${losses[0]}`);
  });

  await t.test(
    "checkpoints lie at their interval and at the end, each evaluated, each file with its digest",
    async () => {
      using trainer = connectClient(TrainerService, system.addresses.trainer);
      const { checkpoints } = await trainer.listCheckpoints({ parent: experiment.name });
      const steps = checkpoints.map(({ microStep }) => Number(microStep));
      const last = Number(report.training?.microSteps);
      assert.deepEqual(steps, [
        ...new Set([...Array.from({ length: Math.floor(last / 8) }, (_, index) => (index + 1) * 8), last]),
      ]);
      assert.deepEqual(
        report.evaluations.map(({ microStep }) => Number(microStep)),
        steps,
      );
      for (const { blob, sha256, sizeBytes } of checkpoints.flatMap(({ parts }) => parts)) {
        const bytes = await readFile(join(fileURLToPath(system.blobsUrl), blob));
        assert.equal(bytes.length, Number(sizeBytes));
        assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
      }
    },
  );

  await t.test("an evaluation's numbers follow from its sums, and its samples generate what was asked for", () => {
    const evaluation = report.evaluations.at(-1);
    assert.equal(evaluation?.state, Evaluation_State.SUCCEEDED);
    const { nats = 0, tokens = 0n, natsPerToken = 0 } = evaluation?.validationLoss ?? {};
    assert.equal(natsPerToken, nats / Number(tokens));
    assert.equal(evaluation?.perplexity, Math.exp(natsPerToken));
    assert.equal(evaluation?.samples.length, 3);
    for (const { loss, generatedTokens, stopReason } of evaluation?.samples ?? []) {
      assert.equal(loss?.tokens, 20n);
      assert.ok(generatedTokens === 20 || stopReason === "eos", `${generatedTokens} tokens, ${stopReason}`);
    }
    const trainingLoss = report.training?.lastLoss ?? 0;
    assert.ok(Math.abs(natsPerToken - trainingLoss) < 0.7, `validation ${natsPerToken}, training ${trainingLoss}`);
  });

  await t.test("every target of an evaluation lies in one bin and one bucket, and the splits were compared", () => {
    const { lossByPosition, lossByFrequency, ...evaluation } = report.evaluations.at(-1) ?? assert.fail();
    const buckets = [lossByPosition, lossByFrequency].map((each) => each.map(({ loss }) => loss?.tokens ?? 0n));
    for (const counts of [...buckets, evaluation.calibration?.bins.map(({ tokens }) => tokens) ?? []]) {
      const sum = counts.reduce((total, tokens) => total + tokens, 0n);
      assert.equal(sum, evaluation.validationLoss?.tokens);
    }
    assert.ok(lossByFrequency.length > 1, "tokens are not all equally frequent in the training split");
    assert.equal(evaluation.overlap?.validationRows, evaluation.validationRows);
    assert.match(evaluation.lossesBlob, /\/losses-[0-9a-f]{16}\.safetensors$/);
  });

  await t.test("every evaluation is certified, and the record finds its numbers again from its sums and counts", () => {
    for (const { certificate, microStep } of report.evaluations) {
      const outcomes = certificate?.canaries.map(({ outcome }) => outcome) ?? [];
      assert.ok(outcomes.includes(Canary_Outcome.PASSED), `micro-step ${microStep} has no certificate`);
      assert.ok(!outcomes.includes(Canary_Outcome.FAILED));
      assert.ok(certificate?.shapes.length, "the shapes are said");
    }
    const last = report.evaluations.at(-1);
    for (const [metric, found] of [
      ["eval/bits_per_byte", last?.bitsPerByte],
      ["eval/top1_accuracy", last?.top1Accuracy],
      ["eval/calibration_error", last?.calibration?.expectedError],
    ] as const) {
      const final = report.indicators.find((row) => row.metric === metric)?.final;
      assert.ok(
        found !== undefined && Math.abs((final ?? Number.NaN) - found) < 1e-12,
        `${metric}: ${final}, ${found}`,
      );
    }
  });

  await t.test("the verdict follows the recipe's rule", () => {
    const indicator = report.indicators.find(({ metric }) => metric === "train/loss_reduction");
    assert.equal(indicator?.verdict, (indicator?.final ?? 0) > 0.05 ? Verdict.MET : Verdict.MISSED);
    assert.equal(indicator?.final, report.training?.reduction);
  });

  await t.test(
    "the record lies beside the checkpoints as JSON, Markdown and HTML, and the service renders the same",
    async () => {
      using reports = connectClient(ReportService, system.addresses.report);
      const name = `${experiment.name}/report`;
      const folder = join(fileURLToPath(system.blobsUrl), name);
      const markdown = await reports.renderReport({ name, format: RenderReportRequest_Format.MARKDOWN });
      const html = await reports.renderReport({ name, format: RenderReportRequest_Format.HTML });
      assert.equal(await readFile(join(folder, "report.md"), "utf8"), markdown.document);
      assert.equal(await readFile(join(folder, "report.html"), "utf8"), html.document);
      assert.ok(
        html.document.includes("走完整条路径 &lt;b&gt;quickly&lt;/b&gt;"),
        "the person's text is there, escaped",
      );
      assert.ok(!html.document.includes(system.stateDirectory), "no absolute path of the machine");
    },
  );

  await t.test(
    "its checkpoints hold to the last byte; its bundle holds offline, and with one digit changed does not",
    async (t) => {
      using reports = connectClient(ReportService, system.addresses.report);
      const name = `${experiment.name}/report`;
      const { checks } = await reports.verifyReport({ name, checkCheckpoints: true });
      assert.ok(
        checks.every(({ outcome }) => outcome === Verification_Check_Outcome.PASSED),
        checks.map(({ name, evidence }) => `${name}: ${evidence}`).join("\n"),
      );
      const folder = temporaryDirectory(t);
      for await (const { file, content } of reports.exportBundle({ name }))
        await appendFile(join(folder, file), content);
      assert.equal((await verifiedBundle(folder)).sound, true);
      const lines = await readFile(join(folder, "events.jsonl"), "utf8");
      await writeFile(
        join(folder, "events.jsonl"),
        lines.replace(/"lossNats":\d/, (loss) => `${loss}1`),
      );
      const damaged = await verifiedBundle(folder);
      const failed = damaged.checks.filter(({ differences }) => differences.length > 0).map((check) => check.name);
      assert.deepEqual([damaged.sound, failed], [false, ["bundle", "chain", "numbers", "documents"]]);
    },
  );

  await t.test(
    "a number that is measured anew supersedes the old one, which stays in the record with the cause",
    async () => {
      using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
      using reports = connectClient(ReportService, system.addresses.report);
      const old = report.evaluations.at(-1) ?? assert.fail();
      const words = { cause: "a slip, for the sake of the test", fix: "none was needed", author: "somebody" };
      const supersedes = { evaluation: old.name, ...words };
      const { name } = await evaluator.evaluateCheckpoint({ checkpoint: old.checkpoint, supersedes });
      const corrected = async () => (await evaluator.getEvaluation({ name: old.name })).supersededBy === name;
      await until(corrected, { timeoutMs: 120_000 });
      const shown = await until(
        async () => {
          const { evaluations } = await reports.getReport({ name: `${experiment.name}/report` });
          return evaluations.find((each) => each.name === old.name)?.supersededBy === name && evaluations;
        },
        { timeoutMs: 60_000 },
      );
      const { supersededBy: _, ...before } = old;
      assert.deepEqual(
        shown.find((each) => each.name === old.name),
        { ...before, supersededBy: name },
      );
      const anew = shown.find((each) => each.name === name);
      assert.deepEqual(anew?.validationLoss, old.validationLoss); // the same weights, rows and code
      const { document } = await reports.renderReport({
        name: `${experiment.name}/report`,
        format: RenderReportRequest_Format.MARKDOWN,
      });
      for (const fact of [`→ superseded by ${name}`, words.cause, words.fix]) assert.ok(document.includes(fact), fact);
    },
  );

  await t.test("the trained model continues a prompt, a token at a time, with whole characters", async () => {
    using evaluator = connectClient(EvaluatorService, system.addresses.evaluator);
    const checkpoint = report.checkpoints.at(-1)?.name ?? "";
    const messages = [];
    for await (const message of evaluator.generate({ checkpoint, prompt: "The whale", maxNewTokens: 12 }))
      messages.push(message);
    const end = messages.pop();
    assert.ok(end?.stopReason === "max_new_tokens" || end?.stopReason === "eos");
    if (end.stopReason === "max_new_tokens") assert.equal(messages.length, 12);
    assert.ok(!messages.some(({ text }) => text.includes("\uFFFD")));
  });

  await t.test("the same recipe and seed give the same losses, number by number", async () => {
    const again = await trained(system, "main-job-again", tinyRecipe);
    await finalReport(system, again.name);
    assert.deepEqual(await lossesOf(system, again.name), await lossesOf(system, experiment.name));
    const other = await trained(system, "other-seed", { ...tinyRecipe, training: { ...tinyRecipe.training, seed: 8 } });
    await finalReport(system, other.name);
    assert.notDeepEqual(await lossesOf(system, other.name), await lossesOf(system, experiment.name));
  });

  await t.test("one trace holds what all four services did, below one span for the whole experiment", async () => {
    const whole = await until(() => collector.spans.find(({ name }) => name === "experiment main-job"), patience);
    assert.equal(whole.parentSpanId, "");
    const expected = [
      ["pretrain-trainer", "accept"],
      ["pretrain-trainer-worker", "attempt 1"],
      ["pretrain-trainer-worker", "phase training"],
      ["pretrain-data-shard", "pretrain.data.v1.DataShardService/PackDataset"],
      ["pretrain-data-shard", "pretrain.data.v1.DataShardService/StreamBatches"],
      ["pretrain-evaluator-worker", "evaluate"],
    ] as const;
    const found = ([service, name]: (typeof expected)[number]) =>
      collector.spans.find((span) => span.traceId === whole.traceId && span.service === service && span.name === name);
    await until(() => expected.every((each) => found(each) !== undefined), patience);
    const [attempt, training] = [found(expected[1]), found(expected[2])];
    assert.deepEqual([attempt?.parentSpanId, training?.parentSpanId], [whole.spanId, attempt?.spanId]);
  });

  await t.test(
    "what the services tell Prometheus keeps to its conventions, and names no experiment that has ended",
    async () => {
      const told = new Map<string, Set<string>>();
      for (const [service, address] of Object.entries(system.httpAddresses)) {
        const own = (await scrape(address)).filter(({ name }) => name.startsWith("pretrain_"));
        assert.deepEqual(own.flatMap(faultsOf), []);
        assert.ok(!own.some(({ samples }) => samples.some((sample) => sample.includes("main-job"))), service);
        for (const { name } of own) told.set(name, (told.get(name) ?? new Set()).add(service));
      }
      for (const file of ["grafana-dashboard.json", "prometheus-rules.yaml"]) {
        const text = await readFile(join(monitoring, file), "utf8");
        const named = new Set([...text.matchAll(/pretrain_[a-z0-9_]+/g)].map(([name]) => name));
        assert.ok(named.size > 8, `${file} names metrics`);
        const families = [...named].map((name) => (told.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "")));
        assert.deepEqual(
          families.filter((name) => !told.has(name)),
          [],
          `${file} names what no service tells`,
        );
      }
      const listed = [
        ...(await readFile(join(docs, "monitoring.md"), "utf8")).matchAll(
          /^\| `(pretrain_[a-z0-9_]+)` \| ([^|]+) \|/gm,
        ),
      ];
      assert.deepEqual(
        Object.fromEntries(listed.map(([, name, services = ""]) => [name, services.trim()])),
        Object.fromEntries(
          [...told].map(([name, services]) => [name, services.size === 4 ? "all" : [...services].join(", ")]),
        ),
        "docs/monitoring.md lists each metric with the service that tells it",
      );
    },
  );

  await t.test("exported for other programs, it has every number that the report service tells", async () => {
    const losses = await lossesOf(system, experiment.name);
    for (const format of ["tensorboard", "csv"]) {
      const { files } = await exported(system, "main.job", format);
      assert.ok(Math.max(...files.map(({ rows }) => rows)) >= losses.length, format);
    }
    const csv = await readFile(join(system.stateDirectory, "exported-csv", "steps.csv"), "utf8");
    const [header = "", ...rows] = csv.trimEnd().split("\r\n");
    const column = header.split(",").indexOf("train/loss");
    assert.deepEqual(
      rows.map((row) => Number(row.split(",")[column])),
      losses,
    );
  });
});

/** By the program of the report service, as somebody without any service does. */
async function verifiedBundle(folder: string): Promise<Verification> {
  const program = join(root, "services", "report", "src", "verification", "verify-bundle-main.ts");
  const run = promisify(execFile)(process.execPath, [program, folder], { env: { PATH: process.env["PATH"] } });
  const { stdout } = await run.catch((error: { stdout: string }) => error); // exit code 1: it does not hold
  return fromJsonString(VerificationSchema, stdout);
}
