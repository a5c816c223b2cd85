import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryDirectory } from "@pretrain/testing";
import { toolPath, whyNoTools } from "../tools/index.ts";
import { overlayFolder, overlayNames } from "./index.ts";
import { parsedManifests, podTemplateOf, suppliedSecrets, wantedSecrets, writtenManifests } from "./manifests.ts";
import { withTag } from "./with-tag.ts";

const manifests = parsedManifests(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: trainer, namespace: pretrain }
spec:
  template:
    spec:
      initContainers:
        - { name: first, image: "localhost:5000/pretrain-api:1.0", envFrom: [{ secretRef: { name: whole } }] }
      containers:
        - name: trainer
          image: pretrain-cpu-worker
          env:
            - { name: KEY, valueFrom: { secretKeyRef: { name: store, key: KEY } } }
            - { name: TOKEN, valueFrom: { secretKeyRef: { name: store, key: TOKEN } } }
            - { name: MAYBE, valueFrom: { secretKeyRef: { name: maybe, key: MAYBE, optional: true } } }
      volumes:
        - { name: tls, secret: { secretName: trainer-tls } }
        - { name: both, projected: { sources: [{ secret: { name: projected, items: [{ key: file, path: file }] } }] } }
---
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: { name: worker }
spec:
  jobTargetRef:
    template: { spec: { containers: [{ name: worker, image: "registry/team/pretrain-gpu-worker:1.0" }, { name: other, image: "nats:2.15.1" }] } }
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: trainer }
spec: { secretName: trainer-tls }
`);

test("the secrets that pods cannot start without, wherever a pod names them, with the keys that are named", () => {
  const wanted = [...wantedSecrets(manifests)].map(([name, keys]) => [name, ...keys]);
  assert.deepEqual(wanted, [["store", "KEY", "TOKEN"], ["whole"], ["trainer-tls"], ["projected", "file"]]);
  assert.deepEqual([...suppliedSecrets(manifests)], ["trainer-tls"]);
});

test("the pod of a ScaledJob is the one of its jobs; what leads to no pod has none", () => {
  assert.deepEqual(
    manifests.map((manifest) => podTemplateOf(manifest)?.spec.containers.length),
    [1, 2, undefined],
  );
});

test("written and read again, manifests are the same", () => {
  assert.deepEqual(parsedManifests(writtenManifests(manifests)), manifests);
});

test("another tag is given to our images alone, whatever registry they are in", () => {
  const images = JSON.stringify(withTag(manifests, "2.0")).match(/"image":"[^"]+"/g);
  assert.deepEqual(images, [
    '"image":"localhost:5000/pretrain-api:2.0"',
    '"image":"pretrain-cpu-worker:2.0"',
    '"image":"registry/team/pretrain-gpu-worker:2.0"',
    '"image":"nats:2.15.1"',
  ]);
});

test("a tag that is none is refused, and one beside a digest, which pins more than a tag can say", () => {
  assert.throws(() => withTag(manifests, "a tag"), { reason: "BAD_REQUEST", message: /"a tag" is no tag/ });
  const pinned = parsedManifests(
    `{ kind: Pod, spec: { containers: [{ image: "pretrain-api@sha256:${"0".repeat(64)}" }] } }`,
  );
  assert.throws(() => withTag(pinned, "2.0"), { message: /pins pretrain-api@sha256:0+ by its digest/ });
});

test("an overlay is a name or a folder; another name is answered with those that there are", () => {
  assert.ok(overlayNames().includes("local"));
  assert.match(overlayFolder("local"), /\/overlays\/local$/);
  assert.equal(overlayFolder(relative(process.cwd(), overlayFolder("ha"))), overlayFolder("ha"));
  assert.throws(() => overlayFolder("locl"), { message: /locl is no overlay: there are .*gpu-pool.*local/ });
});

test("the overlay of one's own that docs/operations.md shows builds, with its images and its number of GPUs", {
  skip: whyNoTools("kustomize"),
}, async (scope) => {
  const checkout = fileURLToPath(new URL("../../..", import.meta.url));
  const shown = await readFile(join(checkout, "docs/operations.md"), "utf8");
  const [, block = ""] = /```yaml\n(\s*# my-pool\/kustomization\.yaml[\s\S]*?)```/.exec(shown) ?? [];
  const folder = temporaryDirectory(scope);
  const written = block.replaceAll(/^ {3}/gm, "").replace("../<checkout>", relative(folder, checkout));
  await writeFile(join(folder, "kustomization.yaml"), written);
  const { stdout } = await promisify(execFile)(toolPath("kustomize"), ["build", folder], { maxBuffer: 64e6 });
  assert.match(stdout, /image: registry\.example\.org\/pretrain-api:0\.1\.0/);
  const worker = parsedManifests(stdout).find(
    ({ kind, metadata }) => kind === "ScaledJob" && metadata.name === "trainer-worker",
  );
  assert.equal(worker?.spec?.["maxReplicaCount"], 8);
});
