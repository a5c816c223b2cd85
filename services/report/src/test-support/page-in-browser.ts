/** Test support: the page over its own service, in a real browser. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { sharedBrowser } from "./browser.ts";
import { type PageServer, servePage } from "./page-server.ts";

/** Every complaint of the browser fails the test, and so does whatever it asks of anybody else. */
export async function openPage(
  t: TestContext,
  path: string,
  prepare: (server: PageServer) => void,
  context: BrowserContextOptions = {},
  served: Parameters<typeof servePage>[0] = {},
): Promise<{ readonly server: PageServer; readonly page: Page }> {
  const server = await servePage({ paceMs: 20, ...served });
  prepare(server);
  const browser = await sharedBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, ...context });
  const complaints: string[] = [];
  page.on(
    "console",
    (message) => isExpected(message.text(), message.location().url) || complaints.push(message.text()),
  );
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).hostname !== "127.0.0.1") complaints.push(`asked for ${request.url()}`);
  });
  t.after(async () => {
    await page.close(); // before its service: it would complain of losing it
    await server[Symbol.asyncDispose]();
    assert.deepEqual(complaints, []);
  });
  await page.goto(server.origin + path);
  return { server, page };
}

/**
 * A browser complains of every answer that is a refusal. What an action was refused is for the page to show, and an experiment that was
 * just started is not known until its first event has arrived. Who is not known is asked who he is.
 */
function isExpected(text: string, url: string): boolean {
  const { pathname = "" } = URL.parse(url) ?? {};
  if (text.includes("401") && pathname.startsWith("/api/")) return true;
  return pathname.startsWith("/api/actions/") || (pathname.startsWith("/api/experiments/") && text.includes("404"));
}
