/** The manifests of every overlay, held against the schemas of the kinds that they name, without a cluster. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { before, describe, test } from "node:test";
import { readWritten, renderedPath } from "../manifests/rendered.ts";
import { overlayNames } from "../overlays/index.ts";
import { toolPath, whyNoTools } from "../tools/index.ts";
import { schemasFolder, whyNoDefinitions } from "./index.ts";

interface Verdict {
  readonly filename: string;
  readonly kind: string;
  readonly name: string;
  /** `statusValid`, `statusInvalid` or `statusError`: the latter also where there is no schema. */
  readonly status: string;
  readonly msg: string;
}

/** What kubeconform says of each manifest of each file, in one run: compiling the schemas is what takes long. */
async function verdicts(files: ReadonlyMap<string, string>): Promise<readonly Verdict[]> {
  const folder = await mkdtemp(join(tmpdir(), "pretrain-manifests-"));
  try {
    for (const [name, manifests] of files) await writeFile(join(folder, `${name}.yaml`), manifests);
    const location = `${schemasFolder}/{{.ResourceKind}}{{.KindSuffix}}.json`;
    const parameters = ["-strict", "-verbose", "-output", "json", "-schema-location", location, folder];
    const kubeconform = spawn(toolPath("kubeconform"), parameters, { stdio: ["ignore", "pipe", "inherit"] });
    const { resources } = JSON.parse(await text(kubeconform.stdout)) as { resources: Verdict[] };
    return resources.map((verdict) => ({ ...verdict, filename: basename(verdict.filename, ".yaml") }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const scaledJob = (template: string) => `
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: { name: trainer-worker }
spec:
  maxReplicaCount: 4
  jobTargetRef: { podReplacementPolicy: Failed, template: { spec: ${template} } }
  triggers: [{ type: nats-jetstream, metadata: { stream: PRETRAIN_WORK } }]`;
const container = "{ name: worker, image: registry/worker:1, resources: { limits: { memory: 4Gi, cpu: 2 } } }";
const good = scaledJob(`{ restartPolicy: Never, containers: [${container}] }`);

describe("schemas", { skip: whyNoTools("kubeconform") || whyNoDefinitions() }, () => {
  const bad = [
    ["a field of a kind of KEDA's", good.replace("maxReplicaCount", "maxReplicasCount"), "maxReplicasCount"],
    ["a word where a number belongs", good.replace("maxReplicaCount: 4", "maxReplicaCount: four"), "integer"],
    ["a field of the pod in a job in it", good.replace("restartPolicy", "restartsPolicy"), "restartsPolicy"],
    ["an amount that is none", good.replace("4Gi", "4GiB"), "4GiB"],
    ["a kind that nobody defines", good.replace("kind: ScaledJob", "kind: ScaleJob"), "could not find schema"],
  ] as const;
  const judged = new Map<string, readonly Verdict[]>();

  before(async () => {
    const rendered = overlayNames().map(async (name) => [name, await readWritten(renderedPath(name))] as const);
    const samples = bad.map(([, manifest], place) => [`bad-${place}`, manifest] as const);
    const files = new Map([["good", good], ...samples, ...(await Promise.all(rendered))]);
    const all = await verdicts(files);
    for (const name of files.keys())
      judged.set(
        name,
        all.filter(({ filename }) => filename === name),
      );
  });

  test("a ScaledJob with a job, a pod and amounts of each form conforms", () => {
    assert.deepEqual(faultsOf("good"), []);
  });
  for (const [place, [fault, , told]] of bad.entries()) {
    test(`refused: ${fault}`, () => {
      const [verdict, another] = faultsOf(`bad-${place}`);
      assert.equal(another, undefined);
      assert.ok(verdict?.msg.includes(told), `${verdict?.msg} does not say ${told}`);
    });
  }
  for (const overlay of overlayNames()) {
    test(`every manifest of the overlay ${overlay} conforms`, () => {
      assert.ok((judged.get(overlay)?.length ?? 0) > 10, "hardly anything was judged");
      assert.deepEqual(faultsOf(overlay), []);
    });
  }

  function faultsOf(file: string): readonly Verdict[] {
    return (judged.get(file) ?? []).filter(({ status }) => status !== "statusValid");
  }
});
