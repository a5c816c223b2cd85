/** The README's example does what the README says. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("the example of the README prints what the README says", () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const text = readFileSync(`${folder}/README.md`, "utf8");
  const [, example = "", printed = ""] = /```ts\n(.*?)```\nprints\n\n```text\n(.*?)```/s.exec(text) ?? [];
  assert.notEqual(example, "");
  const child = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", example], {
    cwd: folder, // where the package's own name and its dependencies are found
    encoding: "utf8",
  });
  assert.equal(child.stdout, printed, child.stderr);
});
