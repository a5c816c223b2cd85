import assert from "node:assert/strict";
import { test } from "node:test";
import { readWritten, renderedPath } from "../manifests/rendered.ts";
import { overlayNames } from "../overlays/index.ts";
import { parsedManifests } from "../overlays/manifests.ts";
import { appliedKinds } from "./cluster-kinds.ts";

test("whatever an overlay holds is looked for when it is removed", async () => {
  for (const overlay of overlayNames()) {
    const kinds = parsedManifests(await readWritten(renderedPath(overlay))).map(({ kind }) => kind);
    assert.ok(kinds.length > 10, overlay);
    assert.deepEqual(
      kinds.filter((kind) => !appliedKinds.has(kind)),
      [],
      overlay,
    );
  }
});
