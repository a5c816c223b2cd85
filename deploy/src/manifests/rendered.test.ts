/** What is written from other files under deploy/ is what those say now. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { overlayNames } from "../overlays/index.ts";
import { whyNoTools } from "../tools/index.ts";
import { ofKind, readManifests, workloadsOf } from "./manifest.ts";
import { alerts, readWritten, renderCommand, rendered, renderedPath } from "./rendered.ts";

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

  test(`the broker of ${overlay} is told what its configuration says, as seen without kustomize`, async () => {
    const manifests = readManifests(await readWritten(renderedPath(overlay)));
    const servers = workloadsOf(manifests).find(({ name }) => name === "nats")?.replicas ?? 0;
    const source = `components/${servers > 1 ? "nats-cluster" : "nats"}/nats.conf`;
    const kept = ofKind(manifests, "ConfigMap").flatMap(({ data = {} }) => data["nats.conf"] ?? []);
    assert.ok(
      kept.join() === (await readWritten(source)),
      `${source} is not in ${renderedPath(overlay)}, which ${outOfDate}`,
    );
  });
}
