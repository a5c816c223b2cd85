/** From a manifest's security to podman's arguments, and what is refused because nothing here would obey it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Manifest, parsedManifests } from "../../overlays/manifests.ts";
import { checkout } from "../checkout.ts";
import { type Pod, podOf } from "./pod.ts";
import { bytesOf, podmanArguments } from "./podman-arguments.ts";

const manifests = parsedManifests(readFileSync(join(checkout, "deploy/rendered/local.yaml"), "utf8"));

test("every pod of the overlay local is understood", () => {
  const pods = manifests.flatMap((manifest) => podOf(manifest) ?? []);
  assert.deepEqual(pods.map(({ name }) => name).sort(), [
    "data-shard-0",
    "evaluator-0",
    "nats-0",
    "report-0",
    "s3-0",
    "trainer-0",
  ]);
});

test("user, groups, capabilities, privileges, root file system, memory and grace period become arguments", () => {
  const words = argumentsOf(podOfShard());
  for (const expected of [
    "--user=65532:65532",
    "--group-add=65532",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--read-only --read-only-tmpfs=false",
    `--memory=${2 * 2 ** 30}`,
    "--stop-timeout=45",
    "--volume=/volumes/texts:/texts:ro",
    "--env=AWS_ACCESS_KEY_ID=id",
    "localhost/pretrain-api:0.1.0 services/data-shard/src/main.ts",
  ])
    assert.ok(words.includes(expected), `${expected} is missing in ${words}`);
});

test("what a manifest does not ask for is not given for nothing", () => {
  const pod = podOfShard((spec) => {
    const [container] = spec.containers;
    container.securityContext = {
      allowPrivilegeEscalation: true,
      readOnlyRootFilesystem: false,
      capabilities: { drop: [] },
    };
  });
  assert.ok(!/--read-only|no-new-privileges|--cap-drop/.test(argumentsOf(pod)));
});

for (const [what, change, refusal] of [
  ["a field that nobody obeys", (spec) => (spec.hostNetwork = true), /nobody obeys hostNetwork/],
  [
    "a security setting that nobody obeys",
    (spec) => (spec.containers[0].securityContext.privileged = true),
    /privileged/,
  ],
  ["root that must not be root", (spec) => (spec.securityContext.runAsUser = 0), /must not be root and is/],
  ["a seccomp profile of the node", (spec) => (spec.securityContext.seccompProfile.type = "Localhost"), /Localhost/],
  [
    "a secret that is not there",
    (spec) => (spec.containers[0].env[0] = { name: "A", valueFrom: { secretKeyRef: { name: "no", key: "k" } } }),
    /value for A/,
  ],
] as const satisfies readonly (readonly [string, (spec: Changeable) => unknown, RegExp])[]) {
  test(`${what} is refused by name`, () => {
    assert.throws(() => argumentsOf(podOfShard(change)), refusal);
  });
}

test("quantities are read in the units that manifests use", () => {
  assert.equal(bytesOf("512Mi"), 536_870_912);
  assert.throws(() => bytesOf("1.5G"), /1.5G: a whole number/);
});

/** As YAML gives it, to be broken on purpose. */
// biome-ignore lint: a manifest that is broken has no type
type Changeable = ReturnType<typeof JSON.parse>;

function podOfShard(change: (spec: Changeable) => unknown = () => {}): Pod {
  const found = manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "data-shard");
  const copy: Changeable = structuredClone(found);
  change(copy.spec.template.spec);
  const pod = podOf(copy as Manifest);
  assert.ok(pod !== undefined);
  return pod;
}

function argumentsOf(pod: Pod): string {
  const settings = manifests
    .filter(({ kind }) => kind === "ConfigMap")
    .map(({ metadata }) => [metadata.name, {}] as const);
  return podmanArguments(pod, {
    network: "/run/netns/x",
    hosts: ["nats"],
    folderOf: (volume) => `/volumes/${volume}`,
    configMaps: new Map(settings),
    secrets: new Map([["pretrain-s3", { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key" }]]),
  }).join(" ");
}
