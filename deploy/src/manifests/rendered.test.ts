/** What is written from other files under deploy/ is what those say now. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { overlayNames } from "../overlays/index.ts";
import { whyNoTools } from "../tools/index.ts";
import { alerts, readWritten, renderCommand, rendered } from "./rendered.ts";

const outOfDate = `is out of date; run \`${renderCommand}\``;

test("the alerts of the Prometheus operator are those of Prometheus", async () => {
  const { path, text } = await alerts();
  assert.ok((await readWritten(path)) === text, `${path} ${outOfDate}`);
});

for (const overlay of overlayNames()) {
  test(`the kept manifests of ${overlay} are what kustomize makes`, { skip: whyNoTools("kustomize") }, async () => {
    const { path, text } = await rendered(overlay);
    assert.ok((await readWritten(path)) === text, `${path} ${outOfDate}`);
  });
}
