/** Test support: a real browser, if there is one on this machine. */
import { existsSync } from "node:fs";
import { after } from "node:test";
import { type Browser, chromium } from "playwright-core";

const path = process.env["PRETRAIN_CHROMIUM"] ?? "/usr/bin/chromium";

/** Why tests that need a browser are skipped; false when they are not. */
export const noBrowser = existsSync(path) ? false : `there is no browser at ${path}; PRETRAIN_CHROMIUM names another`;

let launched: Promise<Browser> | undefined;

/** One for all tests of a file: starting one takes seconds. Closed when the last test is over. */
export function sharedBrowser(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: path });
  return launched;
}

after(async () => (await launched)?.close());
