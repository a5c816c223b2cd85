/** The charts in a real browser: a long run is thin, a spike is seen at every zoom, keys and fingers do what the mouse does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { until } from "@pretrain/testing";
import type { Page } from "playwright-core";
import type { LedgerEvent } from "../ledger/ledger-event.ts";
import { noBrowser } from "../test-support/browser.ts";
import { openPage } from "../test-support/page-in-browser.ts";
import { attempt, beginning, runEvents } from "../test-support/run-events.ts";
import { runShape } from "../test-support/run-shape.ts";
import { stepMetric } from "../test-support/step-events.ts";

const shape = runShape({ epochs: 1, stepsPerEpoch: 12_000, saveInterval: 12_000 });
const spike = 7777;
const readout = (page: Page) => page.locator(".chart .readout").first().innerText();

/** A run whose loss is 2 but for one step. */
function longRun(): LedgerEvent[] {
  const steps = Array.from({ length: 12_000 }, (_, index): LedgerEvent => {
    const microStep = index + 1;
    const message = stepMetric(shape, { attempt: 1, microStep, endMs: shape.startMs + microStep * 800 }, () => 0);
    return { kind: "step", message: { ...message, lossNats: microStep === spike ? 900 : 200, lossTokens: 100n } };
  });
  return [...beginning(shape), attempt(shape, 1, shape.startMs, 0), ...steps];
}

const ofAll = (url: string) => /curves\?metric=train%2Floss&.*from=0&to=0/.test(url);
const ofARange = (url: string) => /curves\?metric=train%2Floss&.*from=[1-9]/.test(url);
/** The page may ask twice for what it shows. */
const ofAnother = (from: number, to: number) => (url: string) =>
  ofARange(url) && !url.includes(`from=${from}&to=${to}&`);

/** The loss that the browser is sent when something is done. */
async function askedBy(page: Page, what: (url: string) => boolean, act: () => Promise<unknown>) {
  const answered = page.waitForResponse((response) => what(response.url()));
  await act();
  const response = await answered;
  const [loss] = JSON.parse(await response.text());
  const { searchParams } = new URL(response.url());
  const number = (name: string) => Number(searchParams.get(name));
  const columns: { readonly max: number[]; readonly last: number[]; readonly smoothed?: number[] } = loss;
  return { from: number("from"), to: number("to"), ...columns };
}

async function drag(page: Page, from: number, to: number): Promise<void> {
  const box = await page.locator(".chart .u-over").first().boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * from, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, box.y + 100, { steps: 4 });
  await page.mouse.up();
}

test("the charts of a long run", { skip: noBrowser }, async (t: TestContext) => {
  const { page } = await openPage(t, "/experiments/1-4-0", ({ append }) => append(longRun()));
  await until(async () => (await readout(page)).includes("micro-step 12,000"));

  await t.test("a spike of one step is in what the browser is sent at every zoom, down to its own step", async () => {
    let [from, to] = [1, 12_000];
    while (to - from > 40) {
      const share = (spike - from) / (to - from);
      const asked = await askedBy(page, ofAnother(from, to), () =>
        drag(page, Math.max(0, share - 0.15), Math.min(1, share + 0.15)),
      );
      assert.ok(asked.from <= spike && asked.to >= spike, `${asked.from} to ${asked.to}`);
      assert.ok(asked.to - asked.from < to - from);
      assert.equal(Math.max(...asked.max), 9);
      assert.ok(asked.last.length <= 900);
      [from, to] = [asked.from, asked.to];
      await page.mouse.move(0, 0); // without a cursor the last point of what is drawn is read out
      await until(async () => (await readout(page)).includes(`micro-step ${asked.last.at(-1)?.toLocaleString("en")} `));
    }
    const all = await askedBy(page, ofAll, () => page.locator(".chart .u-over").first().dblclick());
    assert.deepEqual([all.from, all.to, Math.max(...all.max)], [0, 0, 9]);
  });

  await t.test("arrow keys move one cursor over all charts, plus zooms in around it, 0 shows all again", async () => {
    await page.locator(".chart .plot").first().focus();
    await page.keyboard.press("Home");
    await until(async () => /^micro-step 1\d? /.test(await readout(page)));
    const speed = page.locator(".chart.small .readout").nth(2);
    await page.keyboard.press("Shift+ArrowRight");
    await until(async () => /^micro-step 1\d\d /.test(await readout(page)));
    assert.match(await speed.innerText(), /4,750 tokens\/s/);
    const zoomed = await askedBy(page, ofARange, () => page.keyboard.press("+"));
    assert.ok(zoomed.from === 1 && zoomed.to > 2500 && zoomed.to < 3500, `${zoomed.from} to ${zoomed.to}`);
    const all = await askedBy(page, ofAll, () => page.keyboard.press("0"));
    assert.deepEqual([all.from, all.to], [0, 0]);
  });

  await t.test(
    "the axis goes along tokens or time too, and a zoom there asks for the steps that lie in it",
    async () => {
      await page.getByLabel("Along", { exact: true }).selectOption("tokens");
      await until(async () => (await readout(page)).includes("micro-step 12,000 (45.6 M)"));
      const asked = await askedBy(page, ofARange, () => drag(page, 0.5, 0.75));
      assert.ok(Math.abs(asked.from - 6000) < 120 && Math.abs(asked.to - 9000) < 120, `${asked.from} to ${asked.to}`);
      await page.getByLabel("Along", { exact: true }).selectOption("time");
      await until(async () => (await readout(page)).includes("(2 h 40 min)"));
      await page.getByLabel("Along", { exact: true }).selectOption("step");
    },
  );

  await t.test("the moving average is the service's: what the slider says is asked for, and it is drawn", async () => {
    const slider = page.getByLabel("Smoothing");
    await slider.focus();
    const asked = await askedBy(page, ofAll, () => page.keyboard.press("End"));
    assert.equal(asked.smoothed?.length, asked.last.length);
    await until(async () => (await readout(page)).includes("smoothed 2."));
    const none = await askedBy(page, ofAll, () => page.keyboard.press("Home"));
    assert.equal(none.smoothed, undefined);
  });

  await t.test("what is shown can be had as a file", async () => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).first().click();
    const text = readFileSync(await (await download).path(), "utf8");
    assert.match(text, /^curve,first_micro_step,.*\ntrain\/loss,1,/);
    assert.equal(text.split("\n").filter((line) => line.split(",")[7] === "9").length, 1);
  });

  await t.test("Enter opens the micro-step under the cursor", async () => {
    await page.locator(".chart .plot").first().focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    const isOpen = `[...document.querySelectorAll("input")].some(({ value }) => value === "12000")`;
    await until(() => page.evaluate<boolean>(isOpen));
  });
});

test("two fingers zoom where there is no mouse", { skip: noBrowser }, async (t) => {
  const { page } = await openPage(t, "/experiments/1-4-0", ({ append }) => append(longRun()), { hasTouch: true });
  await until(async () => (await readout(page)).includes("micro-step 12,000"));
  const box = await page.locator(".chart .u-over").first().boundingBox();
  assert.ok(box);
  const client = await page.context().newCDPSession(page);
  const touch = (type: string, places: readonly number[]) =>
    client.send("Input.dispatchTouchEvent", {
      type: type as "touchStart",
      touchPoints: places.map((share, id) => ({ x: box.x + box.width * share, y: box.y + 80, id })),
    });
  const asked = await askedBy(page, ofARange, async () => {
    await touch("touchStart", [0.4, 0.6]);
    await touch("touchMove", [0.3, 0.7]);
    await touch("touchEnd", []);
  });
  assert.ok(Math.abs(asked.from - 3000) < 200 && Math.abs(asked.to - 9000) < 200, `${asked.from} to ${asked.to}`);
});

test("other experiments are drawn over the loss of the first, each with its name, on any axis", {
  skip: noBrowser,
}, async (t) => {
  const other = runEvents({ id: "1-4-1", title: "1.4.1" });
  const { page } = await openPage(t, "/compare?ids=1-4-0,1-4-1", ({ append }) => append([...runEvents(), ...other]));
  await until(async () => (await readout(page)).includes("1-4-1 "));
  await page.getByLabel("Along", { exact: true }).selectOption("time");
  await until(async () => /1 min 36 s.*1-4-1 \d\.\d{4}/.test(await readout(page)));
});

test("what the browser loads for the first chart of a long run is less than 1 MB, assets and curves together", {
  skip: noBrowser,
}, async (t) => {
  let bytes = 0;
  const { page } = await openPage(t, "/start", ({ append }) => append(longRun()));
  const pending: Promise<void>[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/api/live")) return; // has no end
    pending.push(
      response.body().then(
        (body) => void (bytes += body.length),
        () => undefined,
      ),
    );
  });
  await page.goto(`${new URL(page.url()).origin}/experiments/1-4-0`);
  await until(async () => (await readout(page)).includes("micro-step 12,000"));
  await page.waitForLoadState("load");
  await Promise.all(pending);
  assert.ok(bytes > 200_000 && bytes <= 1_000_000, `${bytes} bytes`);
  t.diagnostic(`${bytes} bytes`);
});

test("the first curve is shown while the record is still being built", { skip: noBrowser }, async (t) => {
  const { page } = await openPage(t, "/start", ({ append }) => append(runEvents()));
  const { promise: built, resolve: build } = Promise.withResolvers<void>();
  await page.route("**/api/experiments/1-4-0", async (route) => {
    await built;
    await route.continue();
  });
  await page.goto(`${new URL(page.url()).origin}/experiments/1-4-0`);
  await until(async () => (await readout(page)).includes("micro-step 120"));
  assert.equal(await page.getByRole("heading", { name: "Key indicators" }).count(), 0);
  build();
  await page.getByRole("heading", { name: "Key indicators" }).first().waitFor();
});
