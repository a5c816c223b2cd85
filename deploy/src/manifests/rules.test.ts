/**
 * What every overlay keeps to, beyond what a schema can say; and for each rule manifests that break it (broken.yaml), of which it says
 * so. They are the manifests that are kept, so no tool is needed; that those are what kustomize makes, rendered.test.ts says.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { overlayNames } from "../overlays/index.ts";
import { readManifests } from "./manifest.ts";
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
const overlays = new Map<string, string>();
for (const name of overlayNames()) overlays.set(name, await readWritten(renderedPath(name)));

for (const [name, rule] of Object.entries(rules)) {
  describe(name, () => {
    for (const [overlay, text] of overlays) {
      test(`the overlay ${overlay} keeps to it`, () => assert.deepEqual(rule(readManifests(text)), []));
    }
    for (const each of broken[name] ?? assert.fail(`broken.yaml breaks no manifest for the rule ${name}`)) {
      test(`told: ${each.told}`, () => {
        const faults = rule(readManifests(withFault(each)));
        assert.ok(
          faults.some((fault) => fault.includes(each.told)),
          `what it says is ${JSON.stringify(faults)}`,
        );
      });
    }
  });
}

/** The overlay with one manifest changed in one place. */
function withFault({ in: place, from, to }: Broken): string {
  const [overlay = "", resource = ""] = place.split(" ");
  const [kind = "", name = ""] = resource.split("/");
  const documents = (overlays.get(overlay) ?? "").split(/^---\n/m);
  const isMeant = (text: string) =>
    new RegExp(`^kind: ${kind}$`, "m").test(text) && new RegExp(`^  name: ${name}(-[a-z0-9]{10})?$`, "m").test(text);
  const found = documents.filter(isMeant);
  assert.equal(found.length, 1, `${place} is one manifest`);
  assert.ok(found[0]?.includes(from), `${place} has ${JSON.stringify(from)}`);
  return documents.map((text) => (isMeant(text) ? text.replace(from, () => to) : text)).join("---\n");
}
