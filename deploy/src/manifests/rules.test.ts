/**
 * What every overlay keeps to, beyond what a schema can say; and for each rule manifests that break it (broken.yaml), of which it says
 * so. They are the manifests that are kept, so no tool is needed; that those are what kustomize makes, rendered.test.ts says.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { overlayNames } from "../overlays/index.ts";
import { type Manifest, readManifests } from "./manifest.ts";
import { readWritten, renderedPath } from "./rendered.ts";
import { rules } from "./rules/index.ts";

interface Broken {
  /** `overlay Kind/name` */
  readonly in: string;
  readonly from: string;
  readonly to: string;
  readonly told: string;
}

const broken = parse(await readFile(new URL("./broken.yaml", import.meta.url), "utf8")) as Record<string, Broken[]>;
/** Each overlay as documents, and as what they say: one of them is changed at a time. */
const overlays = new Map<string, readonly { text: string; manifest: Manifest }[]>();
for (const name of overlayNames()) {
  const documents = (await readWritten(renderedPath(name))).split(/^---\n/m);
  overlays.set(
    name,
    documents.flatMap((text) => readManifests(text).map((manifest) => ({ text, manifest }))),
  );
}

for (const [name, rule] of Object.entries(rules)) {
  describe(name, () => {
    for (const [overlay, documents] of overlays) {
      test(`the overlay ${overlay} keeps to it`, () => {
        assert.deepEqual(rule(documents.map(({ manifest }) => manifest)), []);
      });
    }
    for (const each of broken[name] ?? assert.fail(`broken.yaml breaks no manifest for the rule ${name}`)) {
      test(`told: ${each.told}`, () => {
        const faults = rule(withFault(each));
        assert.ok(
          faults.some((fault) => fault.includes(each.told)),
          `what it says is ${JSON.stringify(faults)}`,
        );
      });
    }
  });
}

/** The overlay with one manifest changed in one place. */
function withFault({ in: place, from, to }: Broken): readonly Manifest[] {
  const [overlay = "", resource = ""] = place.split(" ");
  const [kind = "", name = ""] = resource.split("/");
  const named = new RegExp(`^${name}(-[a-z0-9]{10})?$`);
  const isMeant = ({ kind: own, metadata }: Manifest) => own === kind && named.test(metadata.name);
  const documents = overlays.get(overlay) ?? assert.fail(`there is no overlay ${overlay}`);
  const found = documents.filter(({ manifest }) => isMeant(manifest));
  assert.equal(found.length, 1, `${place} is one manifest`);
  assert.ok(found[0]?.text.includes(from), `${place} has ${JSON.stringify(from)}`);
  return documents.flatMap(({ text, manifest }) =>
    isMeant(manifest) ? readManifests(text.replace(from, () => to)) : [manifest],
  );
}
