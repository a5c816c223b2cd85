/** The page in a real browser: the experiment is there, its curve is drawn, the record opens, nothing is fetched from elsewhere. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { browserPath, startBrowser } from "./browser.ts";
import { finalReport, trained } from "./experiments.ts";
import { startSystem } from "./system-under-test.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

/** Runs in the page: how many pixels of the first chart are not transparent. */
const paintedPixels = `(() => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length;
})()`;

/** Where a person finds the pictures afterwards. */
const pictures = join(import.meta.dirname, "..", "..", ".pretrain", "screenshots");

test("the page shows an experiment, its curve and its record", async (t) => {
  const executable = browserPath();
  if (executable === undefined) return t.skip("no Chromium: install it, or name one in PRETRAIN_CHROMIUM");
  const system = await startSystem(t);
  const experiment = await trained(system, "on-the-page", tinyRecipe);
  const report = await finalReport(system, experiment.name);

  const browser = await startBrowser(executable);
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const foreign: string[] = [];
  const errors: string[] = [];
  page.on(
    "request",
    (request) =>
      request.url().startsWith(system.pageUrl) || request.url().startsWith("data:") || foreign.push(request.url()),
  );
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));

  await page.goto(system.pageUrl);
  await page.getByText("on-the-page").first().click();
  await page.locator("canvas").first().waitFor();
  assert.ok(await page.getByText("COMPLETED", { exact: false }).first().isVisible());
  const ink = await page.evaluate(paintedPixels);
  assert.ok(Number(ink) > 500, `${String(ink)} pixels of the curve are drawn`);

  await mkdir(pictures, { recursive: true });
  await writeFile(join(pictures, "experiment.png"), await page.screenshot({ fullPage: true }));
  await page.goto(`${system.pageUrl}${experiment.name}/report.html`);
  const shown = report.training?.lastLoss?.toFixed(4) ?? "no loss";
  assert.ok((await page.content()).includes(shown), `the record shows the last loss, ${shown}`);
  await writeFile(join(pictures, "record.png"), await page.screenshot({ fullPage: true }));
  assert.deepEqual(foreign, [], "the page needs nothing from elsewhere");
  assert.deepEqual(errors, []);
});
