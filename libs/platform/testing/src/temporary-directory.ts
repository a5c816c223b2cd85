/** A folder that lives as long as one test. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The part of node:test's TestContext that is needed: something that runs when the test is over, passed or failed. */
export interface TestScope {
  after(cleanUp: () => void | Promise<void>): void;
}

/**
 * An empty folder of the test's own, removed after it with all its contents.
 * @returns its absolute path without symbolic links, so that code which resolves paths sees the same name.
 */
export function temporaryDirectory(t: TestScope): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "pretrain-test-")));
  // Retries: a child that is being killed may still create a file while the folder is emptied.
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}
