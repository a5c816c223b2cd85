/** The manifests of every overlay, held against the schemas of the kinds that they name, without a cluster. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { before, describe, test } from "node:test";
import { overlayNames, renderedOverlay } from "../overlays/index.ts";
import { toolPath, whyNoTools } from "../tools/index.ts";
import { schemasFolder, whyNoDefinitions } from "./index.ts";

interface Verdict {
  readonly kind: string;
  readonly name: string;
  /** `statusValid`, `statusInvalid` or `statusError`: the latter also where there is no schema. */
  readonly status: string;
  readonly msg: string;
}

/** What kubeconform says of each manifest. */
async function verdicts(manifests: string): Promise<readonly Verdict[]> {
  const location = `${schemasFolder}/{{.ResourceKind}}{{.KindSuffix}}.json`;
  const parameters = ["-strict", "-verbose", "-output", "json", "-schema-location", location, "-"];
  const kubeconform = spawn(toolPath("kubeconform"), parameters, { stdio: ["pipe", "pipe", "inherit"] });
  kubeconform.stdin.end(manifests);
  const { resources } = JSON.parse(await text(kubeconform.stdout)) as { resources: Verdict[] };
  return resources;
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

describe("schemas", { skip: whyNoTools("kustomize", "kubeconform") || whyNoDefinitions() }, () => {
  let judged: Verdict[];
  const bad = [
    ["a field of a kind of KEDA's", good.replace("maxReplicaCount", "maxReplicasCount"), "maxReplicasCount"],
    ["a word where a number belongs", good.replace("maxReplicaCount: 4", "maxReplicaCount: four"), "integer"],
    ["a field of the pod in a job in it", good.replace("restartPolicy", "restartsPolicy"), "restartsPolicy"],
    ["an amount that is none", good.replace("4Gi", "4GiB"), "4GiB"],
    ["a kind that nobody defines", good.replace("kind: ScaledJob", "kind: ScaleJob"), "could not find schema"],
  ] as const;

  before(async () => {
    const written = [good, ...bad.map(([, manifest]) => manifest)];
    const named = written.map((manifest, place) => manifest.replace("name: trainer-worker", `name: sample-${place}`));
    judged = (await verdicts(named.join("\n---\n"))).toSorted((a, b) => a.name.localeCompare(b.name));
  });

  test("a ScaledJob with a job, a pod and amounts of each form conforms", () => {
    assert.equal(judged[0]?.status, "statusValid", judged[0]?.msg);
  });
  for (const [place, [fault, , told]] of bad.entries()) {
    test(`refused: ${fault}`, () => {
      const verdict = judged[place + 1];
      assert.notEqual(verdict?.status, "statusValid");
      assert.ok(verdict?.msg.includes(told), `${verdict?.msg} does not say ${told}`);
    });
  }
  for (const overlay of overlayNames()) {
    test(`every manifest of the overlay ${overlay} conforms`, async () => {
      const found = await verdicts(await renderedOverlay(overlay));
      assert.ok(found.length > 10, `only ${found.length} manifests`);
      assert.deepEqual(
        found.filter((verdict) => verdict.status !== "statusValid"),
        [],
      );
    });
  }
});
