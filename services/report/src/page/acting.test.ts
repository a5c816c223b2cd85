/** What a person does on the page, in a real browser: what reaches the services, what is asked once more, what is shown of a refusal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import {
  type AnnotateReportRequest,
  Annotation_AuthorKind,
  AnnotationSchema,
  EvaluatorService,
  ExperimentSchema,
  type ForkExperimentRequest,
  GenerateResponseSchema,
  ReportService,
  Score_Subject,
  ScoreTextResponseSchema,
  type StartExperimentRequest,
  StepExplanationSchema,
  TrainerService,
  Verification_Check_Outcome,
  VerificationSchema,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import { readSteps } from "../ledger/read-steps.ts";
import { noBrowser } from "../test-support/browser.ts";
import { ledgerOf } from "../test-support/ledger-of.ts";
import { openPage } from "../test-support/page-in-browser.ts";
import { servePeer } from "../test-support/peers.ts";
import { beginning, runEvents, training } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";

const shape = runShape();
const options = { skip: noBrowser };
const running = [...beginning(shape), ...training(shape).slice(0, 110)];

test("a button is one request however often it is pressed; cancelling is asked once more", options, async (t) => {
  const asked: string[] = [];
  const gate = Promise.withResolvers<void>();
  const trainer = await servePeer(t, TrainerService, {
    pauseExperiment: async ({ name, requestId }) => {
      asked.push(`pause ${requestId.length}`);
      await gate.promise;
      return create(ExperimentSchema, { name });
    },
    cancelExperiment: ({ requestId }) => {
      asked.push(`cancel ${requestId.length}`);
      throw new FailedPrecondition("EXPERIMENT_STATE", "it is about to end");
    },
  });
  const { page } = await openPage(t, "/", ({ append }) => append(running), {}, { trainer });
  await page.getByRole("button", { name: "Pause" }).dblclick();
  gate.resolve();
  await page.getByText("Pause asked for").waitFor();
  assert.deepEqual(asked, ["pause 32"]);
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByRole("button", { name: "Leave it as it is" }).click();
  assert.deepEqual(asked, ["pause 32"]);
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByRole("button", { name: "Cancel the experiment" }).click();
  await page.getByRole("alert").getByText("it is about to end").waitFor();
  assert.deepEqual(asked, ["pause 32", "cancel 32"]);
});

test("a fork shows its differences before it can be started; another change takes that back", options, async (t) => {
  const forks: ForkExperimentRequest[] = [];
  const trainer = await servePeer(t, TrainerService, {
    forkExperiment: (request) => {
      forks.push(request);
      return create(ExperimentSchema, { name: "experiments/1-4-0-b" });
    },
  });
  const { page } = await openPage(t, "/", ({ append }) => append(runEvents()), {}, { trainer });
  await page.getByRole("button", { name: "Fork…" }).click();
  const dialog = page.getByRole("dialog");
  const start = dialog.getByRole("button", { name: "Start the fork" });
  const show = dialog.getByRole("button", { name: "Show the differences" });
  await dialog.getByLabel("Checkpoint").selectOption({ label: "micro-step 80" });
  const text = dialog.getByRole("textbox");
  await text.fill("experiment_id: 1.4.0-b\nrecipe:\n  model: {dim: 64}\n");
  await show.click();
  await dialog.getByRole("alert").getByText("must stay").waitFor();
  await text.fill("experiment_id: 1.4.0-b\nrecipe:\n  training: {learning_rate: 1e-5}\n");
  await show.click();
  assert.match(await dialog.getByRole("row").nth(1).innerText(), /training\.learning_rate\s+0\.001\s+0\.00001/);
  assert.equal(await start.isEnabled(), true);
  await text.press("End");
  await text.press("Enter");
  assert.equal(await start.isEnabled(), false);
  await show.click();
  await start.click();
  await page.waitForURL(/experiments\/1-4-0-b$/);
  await page.getByText("Nothing of this experiment has arrived here yet").waitFor();
  assert.deepEqual(
    forks.map(({ checkpoint, experimentId, recipe }) => [checkpoint, experimentId, recipe?.training?.learningRate]),
    [["experiments/1-4-0/checkpoints/80", "1.4.0-b", 1e-5]],
  );
});

test(
  "a recipe starts after its faults are named by their lines; the new experiment is shown when it comes",
  options,
  async (t) => {
    const starts: StartExperimentRequest[] = [];
    const trainer = await servePeer(t, TrainerService, {
      startExperiment: (request) => {
        starts.push(request);
        return create(ExperimentSchema, { name: "experiments/1-4-1" });
      },
    });
    const { page, server } = await openPage(t, "/", ({ append }) => append(runEvents()), {}, { trainer });
    await page.getByRole("link", { name: "Start again with changes" }).click();
    const text = page.getByRole("textbox", { name: "Recipe" });
    await until(async () => (await text.inputValue()).startsWith("experiment_id: 1.4.0-again"));
    const recipe = (await text.inputValue()).replace("1.4.0-again", "1.4.1");
    await text.fill(recipe.replace("learning_rate:", "learning_rat:"));
    await page.getByRole("button", { name: "Check" }).click();
    await page
      .getByRole("alert")
      .getByText(/learning_rat.*line \d+/)
      .waitFor();
    await text.fill(recipe.replace(/learning_rate: .*/, "learning_rate: 0.5"));
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByRole("row").filter({ hasText: "training.learning_rate" }).waitFor();
    await page.getByRole("button", { name: "Start it" }).click();
    await page.waitForURL(/experiments\/1-4-1$/);
    assert.deepEqual(
      starts.map(({ experimentId, recipe: sent }) => [experimentId, sent?.training?.learningRate]),
      [["1.4.1", 0.5]],
    );
    server.append(beginning(runShape({ id: "1-4-1", title: "1.4.1" })));
    await page.getByRole("heading", { name: "Experiment 1.4.1" }).waitFor();
  },
);

test("a service that is away is said where it was asked", options, async (t) => {
  const { page } = await openPage(t, "/", ({ append }) => append(running));
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("alert").getByText("cannot be reached").waitFor();
  assert.equal(await page.getByRole("button", { name: "Pause" }).isEnabled(), true);
});

test(
  "a text is coloured by its losses, each read out by keyboard; a continuation comes piece by piece",
  options,
  async (t) => {
    const gate = Promise.withResolvers<void>();
    const evaluator = await servePeer(t, EvaluatorService, {
      scoreText: () =>
        create(ScoreTextResponseSchema, {
          tokens: [
            { byteOffset: 0n, byteLength: 2, nats: 0.1, top1: true },
            { byteOffset: 2n, byteLength: 1, nats: 9 }, // the first byte of three
            { byteOffset: 3n, byteLength: 2, nats: 2.5 },
          ],
          loss: { nats: 11.6, tokens: 3n },
          bitsPerByte: 3.25,
        }),
      async *generate() {
        yield create(GenerateResponseSchema, { text: "the whale " });
        await gate.promise;
        yield create(GenerateResponseSchema, { text: "<b>rose</b>" });
        yield create(GenerateResponseSchema, { stopReason: "eos" });
      },
    });
    const { page } = await openPage(
      t,
      "/experiments/1-4-0#text",
      ({ append }) => append(runEvents()),
      {},
      { evaluator },
    );
    await page.getByRole("textbox", { name: "Text" }).fill("ab鲸");
    await page.getByRole("button", { name: "Score" }).click();
    await page.getByText("3.8667 nats per token over 3 tokens · 3.2500 bits per byte").waitFor();
    const tokens = page.locator(".tokens .token");
    assert.deepEqual(await tokens.allInnerTexts(), ["ab", "▯", "鲸"]);
    assert.deepEqual(
      await tokens.evaluateAll((all: { className: string }[]) => all.map(({ className }) => className)),
      ["token level-0", "token level-8", "token level-4"],
    );
    await tokens.first().focus();
    await page.getByText('"ab" · 0.1000 nats · the likeliest token').waitFor();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.getByText('"鲸" · 2.5000 nats · another token was likelier').waitFor();
    await page.getByRole("button", { name: "Generate" }).click();
    await page.locator(".generated").getByText("the whale").waitFor(); // while the rest is held back
    gate.resolve();
    await page.getByText("End: the model ended it.").waitFor();
    assert.equal(await page.locator(".generated").innerText(), "the whale <b>rose</b>");
  },
);

test(
  "a step that is computed again is compared with the log to the last bit, its worst row open",
  options,
  async (t) => {
    const [logged] = readSteps(ledgerOf(runEvents()), "1-4-0", 80, 80);
    assert.ok(logged);
    const trainer = await servePeer(t, TrainerService, {
      explainStep: ({ microStep }) =>
        create(StepExplanationSchema, {
          microStep,
          optimizerMicroStep: microStep,
          replayedMicroSteps: 40n,
          checkpoint: "experiments/1-4-0/checkpoints/40",
          lossNats: logged.lossNats,
          lossTokens: BigInt(logged.lossTokens),
          gradientNorm: (logged.gradientNorm ?? 0) + 1e-15,
          rows: [
            { rowId: 7n, lossNats: 80, lossTokens: 10n, lossShare: 0.8, tokens: [{ text: "xq#", nats: 8.5 }] },
            { rowId: 3n, lossNats: 20, lossTokens: 10n, lossShare: 0.2, text: "a plain row" },
          ],
        }),
    });
    const { page } = await openPage(t, "/experiments/1-4-0#step", ({ append }) => append(runEvents()), {}, { trainer });
    await page.getByLabel("Micro-step", { exact: true }).fill("80");
    await page.getByRole("button", { name: "Explain", exact: true }).click();
    assert.match(await page.getByRole("row").filter({ hasText: "Loss" }).innerText(), /✓ equal to the logged value/);
    assert.match(await page.getByRole("row").filter({ hasText: "Gradient norm" }).innerText(), /≠ not equal/);
    assert.match(await page.locator("details[open] summary").innerText(), /^Row 7 · 8\.0000 .* 80\.0 %$/);
    assert.equal(await page.locator("details.row").count(), 2);
  },
);

test(
  "a note is signed and added once; what is refused stays in the form, with the number that is wrong",
  options,
  async (t) => {
    const asked: AnnotateReportRequest[] = [];
    const report = await servePeer(t, ReportService, {
      annotateReport: (request) => {
        asked.push(request);
        const { content } = request.annotation ?? {};
        if (content?.case === "finding" && content.value.text.includes("77.9"))
          throw new InvalidArgument([
            { field: "annotation.finding.text", description: "77.9 % is no number of the record" },
          ]);
        return create(AnnotationSchema, request.annotation);
      },
    });
    const { page } = await openPage(t, "/experiments/1-4-0#notes", ({ append }) => append(runEvents()), {}, { report });
    const text = page.getByRole("textbox", { name: "Text" });
    await page.getByLabel("Signed by").fill("Ada");
    await text.fill("It fell by 77.9 %.");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").getByText("77.9 % is no number of the record").waitFor();
    assert.equal(await text.inputValue(), "It fell by 77.9 %.");
    await text.fill("It fell.");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("✓ Added.").waitFor();
    assert.equal(await text.inputValue(), "");
    await page.getByLabel("What is added").selectOption({ label: "Points" });
    await page.getByLabel("Points, 0 to 10").fill("7.5");
    await page.getByLabel("Aspect, such as coherence").fill("fluency");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await until(() => asked.length === 3);
    const [refused, added, points] = asked.map(({ annotation, requestId }) => ({ ...annotation, requestId }));
    assert.deepEqual([added?.author, added?.authorKind], ["Ada", Annotation_AuthorKind.PERSON]);
    assert.notEqual(refused?.requestId, added?.requestId); // another text is another request
    assert.ok(points?.content?.case === "score");
    const { subject, aspect, points: given } = points.content.value;
    assert.deepEqual([subject, aspect, given], [Score_Subject.QUALITY, "fluency", 7.5]);
  },
);

test("a record is verified on demand: every check, and what differs by its place", options, async (t) => {
  const report = await servePeer(t, ReportService, {
    verifyReport: ({ name }) =>
      create(VerificationSchema, {
        name,
        checks: [
          { name: "chain", outcome: Verification_Check_Outcome.PASSED, evidence: "140 events" },
          {
            name: "numbers",
            outcome: Verification_Check_Outcome.FAILED,
            evidence: "812 numbers",
            differences: [{ place: "training.last_loss", recorded: "3.5", computed: "3.49" }],
          },
        ],
      }),
  });
  const { page } = await openPage(t, "/experiments/1-4-0#record", ({ append }) => append(runEvents()), {}, { report });
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByRole("heading", { name: "The record does not hold" }).waitFor();
  assert.deepEqual(await page.locator(".checks > li").allInnerTexts(), [
    "✓ chain – 140 events",
    "✗ numbers – 812 numbers\ntraining.last_loss: 3.5 → 3.49",
  ]);
});
