/** The page in a real browser: what a person sees, what the keyboard reaches, what attacks do not. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { clone, create } from "@bufbuild/protobuf";
import { IntentSchema, LogLine_Level, RecipeSchema } from "@pretrain/proto";
import { until } from "@pretrain/testing";
import type { Page } from "playwright-core";
import { noBrowser } from "../test-support/browser.ts";
import { correctionEvent } from "../test-support/evaluation-events.ts";
import { openPage } from "../test-support/page-in-browser.ts";
import { beginning, ending, log, runEvents, training } from "../test-support/run-events.ts";
import { recipeOf } from "../test-support/run-facts.ts";
import { runShape } from "../test-support/run-shape.ts";

const focused = `document.activeElement.textContent.trim().slice(0, 40) || document.activeElement.id`;
const faintText = readFileSync(join(import.meta.dirname, "../test-support/faint-text.js"), "utf8");
const shape = runShape();
const options = { skip: noBrowser };

/** How much of a chart is not empty: a blank canvas has none. */
function drawnPixels(page: Page, chart: number): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll(".chart canvas")[${chart}];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
  })()`);
}

test("before the first experiment the page says how to start one, and shows it when it comes", options, async (t) => {
  const { server, page } = await openPage(t, "/", () => undefined);
  await page.getByRole("heading", { name: "No experiment yet" }).waitFor();
  assert.match(await page.locator(".empty").innerText(), /npm start/);
  server.append(beginning(shape));
  await page.getByRole("heading", { name: "Experiment 1.4.0" }).waitFor();
});

test("until the list has come the page says that it loads, and not that there is none", options, async (t) => {
  const { server, page } = await openPage(t, "/start", () => undefined);
  const gate = Promise.withResolvers<void>();
  await page.route("**/api/experiments", async (route) => {
    await gate.promise;
    await route.continue();
  });
  await page.goto(server.origin);
  await page.getByText("Loading…").waitFor();
  assert.equal(await page.getByText("No experiment yet").count(), 0);
  gate.resolve();
  await page.getByRole("heading", { name: "No experiment yet" }).waitFor();
});

test("a running experiment moves: steps, progress, loss and curve, without a reload", options, async (t) => {
  const steps = training(shape);
  const { server, page } = await openPage(t, "/", ({ append }) => append([...beginning(shape), ...steps.slice(0, 60)]));
  await page.getByText("micro-step 50 of 120").waitFor();
  assert.ok((await drawnPixels(page, 0)) > 500);
  const before = await page.locator(".tiles dd").first().innerText();
  server.append(steps.slice(60));
  await page.getByText("micro-step 120 of 120").waitFor();
  assert.notEqual(await page.locator(".tiles dd").first().innerText(), before);
  server.append(ending(shape));
  await page.locator(".state-line").getByText("completed").waitFor();
  await page.locator(".state-line").getByText("1 of 4 targets missed").waitFor();
  assert.equal(await page.evaluate<number>(`document.querySelector("progress").value`), 1);
});

test(
  "below the curves stand sections of the record, and in a part of its own all of it, in the record's own words",
  options,
  async (t) => {
    const { server, page } = await openPage(t, "/experiments/1-4-0", ({ append }) => append(runEvents()));
    const row = page.locator("#indicators").getByRole("row").filter({ hasText: "train/loss_reduction" });
    assert.match(await row.innerText(), /58\.2 %[^]*> 33\.0 %[^]*✓/);
    await page.getByText("bfloat16 is not computed by this CPU").waitFor();
    for (const chart of [0, 1, 2, 3, 4, 5]) await until(async () => (await drawnPixels(page, chart)) > 300);
    assert.equal(await page.locator("#recipe").count(), 0);
    const asked = page.waitForResponse(/sections\?language=en$/);
    await page.getByRole("tab", { name: "Record", exact: true }).click();
    const sections = await (await asked).text();
    await page.locator("#recipe").waitFor();
    assert.ok(
      (await page.request.get(`${server.origin}/experiments/1-4-0/report.html`).then((r) => r.text())).includes(
        sections,
      ),
    );
    await page.getByRole("link", { name: "Open the record" }).click();
    await page.getByRole("heading", { name: "Key indicators" }).waitFor();
    assert.equal(await page.locator("article.sample").count(), 10);
  },
);

test(
  "a correction comes into the open page, with old and new number and its cause; what has not changed stays as it is",
  options,
  async (t) => {
    const { page, server } = await openPage(t, "/experiments/1-4-0", ({ append }) => append(runEvents()));
    const corrections = page.locator("#corrections");
    await corrections.waitFor();
    await page.evaluate(`document.querySelector("#log").dataset.same = "yes"`);
    const moment = { attempt: 1, microStep: 120, endMs: shape.startMs + 300_000 };
    server.append([correctionEvent(shape, moment, { nats: 2.26, cause: "the slice began a token late" })]);
    await corrections.getByText("the slice began a token late").first().waitFor();
    assert.match(await corrections.innerText(), /3\.7160[^]*2\.2600[^]*-39\.2 %/);
    assert.equal(await page.evaluate(`document.querySelector("#log").dataset.same`), "yes");
  },
);

test("the list is filtered, walked through by arrow keys, and some of it compared", options, async (t) => {
  const later = runShape({ id: "1-4-1", title: "1.4.1", startMs: shape.startMs + 1e6 });
  const { page } = await openPage(t, "/", ({ append }) =>
    append([...runEvents(), ...beginning(later), ...training(later).slice(0, 60)]),
  );
  const items = page.locator(".list li:visible");
  await items.nth(1).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("completed");
  assert.deepEqual(await items.locator(".name").allInnerTexts(), ["1.4.0"]);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.press("ArrowDown");
  assert.match(await page.evaluate<string>(focused), /^1\.4\.1/);
  await page.keyboard.press("c");
  await page.keyboard.press("ArrowDown");
  assert.match(await page.evaluate<string>(focused), /^1\.4\.0/);
  await page.keyboard.press("c");
  await page.locator(".sparkline polyline[points]").nth(1).waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Compare 2" }).click();
  await page.waitForURL(/compare\?ids=1-4-0,1-4-1$/); // the older one is the baseline
  await page.reload(); // what is compared stays chosen
  await page.getByRole("button", { name: "Compare 2" }).waitFor();
  await page.getByRole("heading", { name: "Comparison" }).waitFor();
  await page.getByRole("heading", { name: "Key indicators side by side" }).waitFor();
  await page.getByText("1.4.0 (baseline)").first().waitFor();
});

test("language and look are the browser's until they are chosen, and are kept", options, async (t) => {
  const { page } = await openPage(t, "/", ({ append }) => append(runEvents()), { locale: "zh-CN" });
  await page.getByRole("heading", { name: "实验 1.4.0" }).waitFor();
  assert.equal(await page.getAttribute("html", "lang"), "zh-Hans");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Experiment 1.4.0" }).waitFor();
  const ground = () => page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
  const light = await ground();
  await page.keyboard.press("d");
  await page.keyboard.press("d");
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.getByRole("heading", { name: "Experiment 1.4.0" }).waitFor();
  assert.equal(await ground(), dark);
});

test("a drag asks for the buckets of its range, a double click for all again", options, async (t) => {
  const { page } = await openPage(t, "/experiments/1-4-0", ({ append }) =>
    append(runEvents({ stepsPerEpoch: 700, saveInterval: 700 })),
  );
  await page.getByText("micro-step 2,100 of 2,100").waitFor();
  const plot = page.locator(".chart .u-over").first();
  const box = await plot.boundingBox();
  assert.ok(box);
  const asked = page.waitForRequest(/curves\?.*from=[1-9]/);
  await page.mouse.move(box.x + box.width * 0.4, box.y + 90);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 90, { steps: 4 });
  await page.mouse.up();
  const { searchParams } = new URL((await asked).url());
  const [from, to] = [Number(searchParams.get("from")), Number(searchParams.get("to"))];
  assert.ok(Math.abs(from - 840) < 15 && Math.abs(to - 1050) < 15, `${from} to ${to}`);
  assert.equal(await page.getByRole("button", { name: "All" }).getAttribute("aria-pressed"), "false");
  const askedAgain = page.waitForRequest(/curves\?.*from=0&to=0/);
  await plot.dblclick();
  await askedAgain;
  assert.equal(await page.getByRole("button", { name: "All" }).getAttribute("aria-pressed"), "true");
});

test("a key shows the keys, and Escape closes them", options, async (t) => {
  const { page } = await openPage(t, "/", ({ append }) => append(runEvents()));
  await page.getByRole("heading", { name: "Experiment 1.4.0" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("filter the list").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("dialog").count(), 0);
});

test("everything can be reached and used with the keyboard", options, async (t) => {
  const { page } = await openPage(t, "/", ({ append }) => append(runEvents()));
  await page.getByRole("heading", { name: "Experiment 1.4.0" }).waitFor();
  const reached: string[] = [];
  for (let press = 0; press < 40; press++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate<string>(focused));
  }
  for (const name of [
    "Skip to the experiment",
    "pretrain",
    "1.4.0",
    "Start again",
    "Live",
    "Last tenth",
    "smoothing",
    "logarithmic",
  ]) {
    assert.ok(
      reached.some((text) => text.includes(name)),
      `${name} in ${reached.join(" | ")}`,
    );
  }
  await page.getByRole("button", { name: "Last tenth" }).focus();
  const asked = page.waitForRequest(/curves\?.*from=109/);
  await page.keyboard.press("Enter");
  await asked;
  await page.getByLabel("Smoothing").focus();
  await page.keyboard.press("Home");
  await page.getByText("off", { exact: true }).waitFor();
});

test("the record fits on paper", options, async (t) => {
  const { page } = await openPage(t, "/experiments/1-4-0/report.html", ({ append }) => append(runEvents()), {
    viewport: { width: 690, height: 1000 }, // A4 with margins of 15 mm
  });
  await page.emulateMedia({ media: "print" });
  assert.ok((await page.evaluate<number>("document.documentElement.scrollWidth")) <= 690);
});

test("a small screen scrolls in one direction only, light or dark", options, async (t) => {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openPage(t, "/", ({ append }) => append(runEvents()), {
      viewport: { width: 360, height: 700 },
      colorScheme,
    });
    await page.getByText("bfloat16 is not computed by this CPU").waitFor();
    for await (const view of views(page)) {
      const [scrolls, shown] = await page.evaluate<number[]>(`[document.documentElement.scrollWidth, innerWidth]`);
      assert.ok((scrolls ?? 0) <= (shown ?? 0), `${view}, ${colorScheme}: ${scrolls} px in ${shown} px`);
    }
  }
});

test("text has a contrast of at least 4.5 to 1, light and dark", options, async (t) => {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openPage(t, "/", ({ append }) => append(runEvents()), { colorScheme });
    await page.getByText("bfloat16 is not computed by this CPU").waitFor();
    for await (const view of views(page)) {
      const faint = await page.evaluate<string[]>(faintText);
      assert.deepEqual(faint, [], `${view}, ${colorScheme}`);
    }
  }
});

/** One view after the other: every part of the experiment, and the way to a new one. */
async function* views(page: Page): AsyncGenerator<string> {
  for (const tab of await page.getByRole("tab").all()) {
    await tab.click();
    await page.getByRole("tabpanel").locator("section, form").first().waitFor();
    yield tab.innerText();
  }
  await page.getByRole("link", { name: "Start again with changes" }).click();
  await page.getByRole("heading", { name: "Start an experiment" }).waitFor();
  yield "start";
}

const attacks = [
  "<img src=x onerror=alert(1)>",
  "</style><script>alert(1)</script>",
  '"><svg onload=alert(1)>',
  "javascript:alert(1)",
];

test(
  "attacks in names, words and log lines are text on the page and in the record, and run nowhere",
  options,
  async (t) => {
    const attack = attacks.join(" ");
    const recipe = clone(RecipeSchema, recipeOf(shape));
    recipe.intent = create(IntentSchema, {
      purpose: attack,
      risks: attack,
      decisions: [{ subject: attack, options: attacks, choice: attack, reason: attack }],
    });
    const hostile = runShape({ recipe, title: attack });
    const { page } = await openPage(t, "/", ({ append }) =>
      append([...runEvents(hostile), log(hostile, 9, shape.startMs, LogLine_Level.ERROR, attack)]),
    );
    await page.getByRole("row").filter({ hasText: "onerror" }).waitFor();
    assert.equal(await page.locator("h1").innerText(), `Experiment ${attack}`);
    assert.equal(await page.locator("main img, main script, main [onload], main [onerror]").count(), 0);
    await page.getByRole("tab", { name: "Record", exact: true }).click();
    await page.getByRole("link", { name: "Open the record" }).click();
    await page.getByRole("heading", { name: "Key indicators" }).waitFor();
    assert.equal(await page.locator("img, script").count(), 0);
    assert.ok((await page.locator("blockquote").first().innerText()).includes(attacks[0] ?? ""));
  },
);

test("when the service is away the page says so, and goes on by itself when it is back", options, async (t) => {
  const steps = training(shape);
  const { server, page } = await openPage(t, "/", ({ append }) => append([...beginning(shape), ...steps.slice(0, 60)]));
  await page.getByText("micro-step 50 of 120").waitFor();
  await page.locator(".connection.on").waitFor();
  server.cutStreams();
  await page.getByText("not connected").waitFor();
  server.append(steps.slice(60, 90));
  await page.locator(".connection.on").waitFor();
  await page.getByText("micro-step 74 of 120").waitFor();
});
