/** A real browser, where one is installed: Chromium at PRETRAIN_CHROMIUM or in its usual places. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const usualPlaces = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function browserPath(): string | undefined {
  const named = process.env["PRETRAIN_CHROMIUM"];
  return named ?? usualPlaces.find((path) => existsSync(path));
}

/** Without a sandbox only as root, where Chromium refuses to start with one; without the requests that it makes on its own. */
export function startBrowser(executablePath: string): Promise<Browser> {
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  return chromium.launch({ executablePath, args: [...asRoot, ...quiet] });
}
