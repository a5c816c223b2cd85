/**
 * The page in a real browser over the real system: an experiment is started from it, watched, paused, resumed, forked, compared and
 * cancelled; its record opens; nothing is fetched from elsewhere.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RenderReportRequest_Format, ReportService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { until } from "@pretrain/testing";
import type { Browser, Page } from "playwright-core";
import { browserPath, startBrowser } from "./browser.ts";
import { finalReport } from "./experiments.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

/** Runs in the page: how many pixels of the first chart are not transparent. */
const paintedPixels = `(() => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length;
})()`;

/** Long enough to be paused, forked and cancelled on any machine; checkpoints are few, since each is evaluated. */
const longRecipe = { ...tinyRecipe, training: { ...tinyRecipe.training, epochs: 2000, saveInterval: 200 } };

test("an experiment is started, watched, paused, resumed, forked, compared and cancelled on the page", async (t) => {
  const executable = browserPath();
  if (executable === undefined) return t.skip("no Chromium: install it, or name one in PRETRAIN_CHROMIUM");
  const system = await startSystem(t);
  const browser = await startBrowser(executable);
  t.after(() => browser.close());
  const page = await openPage(browser, system.pageUrl);
  const state = page.locator(".state-line .state");

  await t.test("a recipe is checked and started, and its steps and curve come by themselves", async () => {
    await page.getByRole("link", { name: "Start an experiment" }).first().click();
    await page.getByRole("textbox", { name: "Recipe" }).fill(recipeFile("on-the-page", longRecipe));
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByRole("button", { name: "Start it" }).click();
    await page.getByRole("heading", { name: "Experiment on-the-page" }).waitFor(patiently);
    await state.getByText("running").waitFor(patiently);
    await page
      .locator(".progress-text")
      .getByText(/micro-step [1-9]/)
      .waitFor(patiently);
    await curveDrawn(page);
    const progress = page.locator(".progress-text");
    const before = await progress.innerText();
    await until(async () => (await progress.innerText()) !== before, patience);
  });

  await t.test("it is paused, goes on, and a fork of its checkpoint trains beside it", async () => {
    await page.getByRole("button", { name: "Pause" }).click();
    await state.getByText("paused").waitFor(patiently);
    await page.getByRole("button", { name: "Fork…" }).click();
    const fork = page.getByRole("dialog");
    await fork.getByRole("textbox").fill("experiment_id: the-fork\nrecipe:\n  training: {learning_rate: 0.001}\n");
    await fork.getByRole("button", { name: "Show the differences" }).click();
    await fork.getByRole("row").filter({ hasText: "training.learning_rate" }).waitFor(patiently);
    await fork.getByRole("button", { name: "Start the fork" }).click();
    await page.getByRole("heading", { name: "Experiment the-fork" }).waitFor(patiently);
    await page
      .locator(".progress-text")
      .getByText(/micro-step [1-9]/)
      .waitFor(patiently);
    await cancelled(page);
    await page.locator(".list a").filter({ hasText: "on-the-page" }).click();
    await page.getByRole("button", { name: "Resume" }).click();
    await state.getByText("running").waitFor(patiently);
    await cancelled(page);
  });

  await t.test("both are compared, and the record is the one of the service", async () => {
    for (const box of await page.getByRole("checkbox", { name: /^Compare / }).all()) await box.check();
    await page.getByRole("button", { name: "Compare 2" }).click();
    await page.waitForURL(/compare\?ids=on-the-page,the-fork$/);
    await curveDrawn(page);
    const report = await finalReport(system, "experiments/on-the-page");
    using reports = connectClient(ReportService, system.addresses.report);
    const record = { name: report.name, format: RenderReportRequest_Format.HTML };
    for (const language of ["en", "zh"]) {
      const { document } = await reports.renderReport({ ...record, language });
      const sections = await fetch(`${system.pageUrl}api/experiments/on-the-page/sections?language=${language}`);
      assert.ok(document.includes(await sections.text()), `the page shows the ${language} record's own bytes`);
    }
    await page.goto(`${system.pageUrl}experiments/on-the-page#record`);
    const shown = report.training?.lastLoss?.toFixed(4) ?? "no loss";
    await page.locator(".record-sections").getByText(shown).first().waitFor(patiently);
    await page.getByRole("link", { name: "Open the record" }).click();
    await page.getByText(shown).first().waitFor(patiently);
  });
});

/** A busy machine takes its time. */
const patience = { timeoutMs: 120_000 };
const patiently = { timeout: patience.timeoutMs };

/** Fails the test on any error of the page and on any request to elsewhere. */
async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
      assert.fail(`the page asks for ${request.url()}`);
  });
  page.on("pageerror", (error) => assert.fail(String(error)));
  await page.goto(url);
  return page;
}

async function curveDrawn(page: Page): Promise<void> {
  await page.locator("canvas").first().waitFor(patiently);
  await until(async () => (await page.evaluate<number>(paintedPixels)) > 500, patience);
}

async function cancelled(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByRole("button", { name: "Cancel the experiment" }).click();
  await page.locator(".state-line .state").getByText("cancelled").waitFor(patiently);
}

/** JSON is YAML, and has the fields' other spelling. */
function recipeFile(experimentId: string, recipe: typeof longRecipe): string {
  return JSON.stringify({ experimentId, recipe }, undefined, 2);
}
