/** People at the page in a real browser: how they come in, what they may do there, how they leave. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type AnnotateReportRequest,
  AnnotationSchema,
  ExperimentSchema,
  ReportService,
  TrainerService,
} from "@pretrain/proto";
import { until } from "@pretrain/testing";
import type { Page } from "playwright-core";
import { noBrowser } from "../../test-support/browser.ts";
import { openPage } from "../../test-support/page-in-browser.ts";
import { peopleOf } from "../../test-support/page-people.ts";
import { servePeer } from "../../test-support/peers.ts";
import { beginning, training } from "../../test-support/run-events.ts";
import { runShape } from "../../test-support/run-shape.ts";

const options = { skip: noBrowser };
const shape = runShape();
const running = [...beginning(shape), ...training(shape).slice(0, 110)];
const people = {
  vera: [{ role: "viewer" }],
  ada: [{ role: "viewer" }, { role: "researcher", resources: ["experiments/1-4-*"] }],
} as const;

async function logIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
}

test(
  "who comes by a link logs in first and lands there; a wrong key is said; who may only read has no buttons",
  options,
  async (t) => {
    const { pageAccess, keys, remove } = await peopleOf(t, people);
    const { page } = await openPage(
      t,
      "/experiments/1-4-0?a=b#notes",
      ({ append }) => append(running),
      {},
      { access: pageAccess },
    );
    assert.match(page.url(), /\/login\?to=%2Fexperiments%2F1-4-0%3Fa%3Db#notes$/);
    await logIn(page, `${keys.vera.slice(0, -1)}!`);
    await page.getByRole("alert").getByText("is neither a key nor of an issuer that is known here").waitFor();
    await logIn(page, keys.vera);
    await page.getByRole("heading", { name: "Experiment 1.4.0" }).waitFor();
    assert.match(page.url(), /\/experiments\/1-4-0\?a=b#notes$/);
    await page.getByText("To change it takes the role researcher").waitFor();
    assert.equal(await page.getByRole("button", { name: /Pause|Cancel/ }).count(), 0);
    assert.equal(await page.locator(".person").innerText(), "vera");
    assert.equal(await page.evaluate("document.cookie"), ""); // no script sees the session
    await page.getByLabel("Signed by").and(page.locator("[readonly]")).waitFor();
    remove("vera"); // while she looks: what she sees stays, and says what to do
    const link = page.getByRole("status").getByRole("link", { name: "Log in" });
    await until(
      async () => {
        return (await page.request.get(`${new URL(page.url()).origin}/api/me`)).status() === 401;
      },
      { timeoutMs: 30_000 },
    );
    await page.getByRole("textbox", { name: "Text" }).fill("half a sentence");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await link.waitFor();
    assert.equal(await page.getByRole("textbox", { name: "Text" }).inputValue(), "half a sentence");
  },
);

test("what a researcher does arrives as hers, and is signed by her; logged out, she is nobody", options, async (t) => {
  const { pageAccess, keys } = await peopleOf(t, people);
  const shown: (string | null)[] = [];
  const notes: AnnotateReportRequest[] = [];
  const trainer = await servePeer(t, TrainerService, {
    pauseExperiment: ({ name }, { requestHeader }) => {
      shown.push(requestHeader.get("authorization"));
      return create(ExperimentSchema, { name });
    },
  });
  const report = await servePeer(t, ReportService, {
    annotateReport: (request, { requestHeader }) => {
      shown.push(requestHeader.get("authorization"));
      notes.push(request);
      return create(AnnotationSchema, request.annotation);
    },
  });
  const served = { access: pageAccess, trainer, report };
  const { page } = await openPage(t, "/", ({ append }) => append(running), {}, served);
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByLabel("密钥").fill(keys.ada);
  await page.getByRole("button", { name: "登录" }).click();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Pause asked for").waitFor();
  await page.getByRole("tab", { name: "Add to the record" }).click();
  await page.getByLabel("Signed by").and(page.locator("[readonly]")).waitFor();
  await page.getByRole("textbox", { name: "Text" }).fill("It falls.");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("✓ Added.").waitFor();
  assert.deepEqual(shown, [`Bearer ${keys.ada}`, `Bearer ${keys.ada}`]);
  assert.equal(notes[0]?.annotation?.author, "ada");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await page.goto(`${new URL(page.url()).origin}/experiments/1-4-0`);
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
});
