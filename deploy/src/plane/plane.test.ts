/**
 * The overlays on a real control plane: what an API server accepts and refuses, where a scheduler puts pods, what controllers make of a
 * deployment, a job and a budget, and the command that applies and removes. One plane for all, as an operator has one cluster: overlays
 * come one after the other. No container runs here.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "@pretrain/testing";
import { restoreAuthority } from "@pretrain/tls/authority";
import { applyOverlay } from "../apply/apply-overlay.ts";
import { fieldManager } from "../apply/namespace.ts";
import { removeOverlay } from "../apply/remove-overlay.ts";
import { extensionsFolder, whyNoDefinitions } from "../definitions/index.ts";
import type { Kubectl } from "../kubectl/index.ts";
import { readWritten, renderedPath } from "../manifests/rendered.ts";
import { type Manifest, parsedManifests, writtenManifests } from "../overlays/manifests.ts";
import { withTag } from "../overlays/with-tag.ts";
import { whyNoTools } from "../tools/index.ts";
import { addGpuNode, forget, type Pod, podsOf, tellFailed, tellRunning } from "./test-support/gpu-node.ts";
import { jobOf, podsFrom, workerPod } from "./test-support/samples.ts";
import { type Plane, startPlane } from "./test-support/start-plane.ts";

const programs = [
  "etcd",
  "kube-apiserver",
  "kube-scheduler",
  "kube-controller-manager",
  "kubectl",
  "kustomize",
] as const;
const namespace = "pretrain";
const timeoutMs = 120_000;
const dayMs = 24 * 3600 * 1000;

describe("on a control plane", { skip: whyNoTools(...programs) || whyNoDefinitions() }, () => {
  const opened = new AsyncDisposableStack();
  let folder: string;
  let plane: Plane;
  let kubectl: Kubectl;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pretrain-plane-"));
    opened.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
    plane = opened.use(await startPlane(folder));
    kubectl = plane.kubectl;
  });
  after(() => opened.disposeAsync());

  /** What an operator sees. */
  async function apply(manifests: readonly Manifest[], force = false): Promise<readonly string[]> {
    const said: string[] = [];
    await applyOverlay(kubectl, manifests, { force, say: (line) => said.push(line) });
    return said;
  }

  async function remove(manifests: readonly Manifest[], withData: boolean): Promise<readonly string[]> {
    const said: string[] = [];
    await removeOverlay(kubectl, manifests, { withData, say: (line) => said.push(line) });
    return said;
  }

  /** By the command line itself. */
  async function deploy(...parameters: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> {
    const program = fileURLToPath(new URL("../main.ts", import.meta.url));
    const command = [program, ...parameters, `--kubeconfig=${plane.kubeconfig}`];
    const env = { ...process.env, KUBECACHEDIR: join(folder, "kubectl") };
    return promisify(execFile)(process.execPath, command, { env }).then(
      (printed) => ({ ...printed, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => error,
    );
  }

  const manifestsOf = async (overlay: string) => parsedManifests(await readWritten(renderedPath(overlay)));

  /** What holds of every overlay once it is applied. */
  async function expectApplied(manifests: readonly Manifest[]): Promise<void> {
    const written = writtenManifests(manifests);
    const options = ["--server-side", `--field-manager=${fieldManager}`, "-f", "-"];
    const diff = await kubectl.ask(["diff", ...options], written);
    assert.deepEqual([diff.code, diff.stdout, diff.stderr], [0, "", ""]);
    const again = await kubectl.ask(["apply", ...options], written);
    assert.deepEqual([again.code, again.stderr], [0, ""]); // also no `Warning:`
    const pods = podsFrom(manifests, namespace);
    const admitted = await kubectl.ask(["create", "--dry-run=server", "-f", "-"], writtenManifests(pods));
    assert.deepEqual([admitted.code, admitted.stderr], [0, ""]);
    assert.equal(admitted.stdout.trim().split("\n").length, pods.length);
  }

  test("given a cluster without KEDA and cert-manager, the command names each kind that is missing and changes nothing", async () => {
    const { code, stdout, stderr } = await deploy("apply", "gpu-pool");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /ScaledJob \(keda\.sh\/v1alpha1\): KEDA, tried with v2/);
    assert.match(stderr, /Certificate \(cert-manager\.io\/v1\): cert-manager, tried with v1/);
    assert.equal(await kubectl.run(["get", "namespace", namespace, "--ignore-not-found"]), "");
  });

  describe("the overlay local, which needs nothing else", () => {
    let manifests: readonly Manifest[];
    let key = "";

    test("given nothing, one command makes the namespace, the certificates and keys, and tells the operator's key once", async () => {
      const { code, stdout, stderr } = await deploy("apply", "local");
      assert.deepEqual([code, stderr], [0, ""]);
      [key = ""] = /pretrain_[\w-]{43}/.exec(stdout) ?? [];
      assert.notEqual(key, "");
      const secrets = await kubectl.run(["get", "secrets", "-n", namespace, "-o", "yaml"]);
      const plain = secrets.replaceAll(/: ([A-Za-z0-9+/=]{40,})$/gm, (_, value: string) =>
        Buffer.from(value, "base64").toString(),
      );
      assert.ok(!plain.includes(key), "the key itself is kept in the cluster");
      assert.match(plain, /key_sha256: [0-9a-f]{64}/);
    });

    test("given it once, it is what the manifests say: no difference, no warning, every pod admitted under restricted", async () => {
      manifests = await manifestsOf("local");
      await expectApplied(manifests);
    });

    test("deployments become pods, and the command waits for them, if told so, no longer than told", async () => {
      const pods = await until(
        async () => {
          const found = await podsOf(kubectl, namespace, "app.kubernetes.io/name=trainer");
          return found.length === 1 && found;
        },
        { timeoutMs },
      );
      assert.equal(pods[0]?.status.phase, "Pending"); // there is no node
      const { code, stderr } = await deploy("apply", "local", "--wait=1s");
      assert.deepEqual([code, /rollout status deployment\/[a-z-]+.*timed out/.test(stderr)], [1, true], stderr);
    });

    for (const [fault, change, told] of [
      [
        "a field that does not exist",
        ["revisionHistoryLimit", "revisionHistoryLimits"],
        /field not declared in schema/,
      ],
      [
        "a word where a number belongs",
        ['"revisionHistoryLimit":3', '"revisionHistoryLimit":"three"'],
        /expected numeric/,
      ],
      ["pods that may become root", ['"runAsNonRoot":true', '"runAsNonRoot":false'], /violate PodSecurity "restricted/],
    ] as const) {
      test(`refused, and nothing changed: ${fault}`, async () => {
        const versions = () =>
          kubectl.run([
            "get",
            "deployments,networkpolicies",
            "-n",
            namespace,
            "-o",
            "jsonpath={.items[*].metadata.generation}",
          ]);
        const before = await versions();
        const bad = manifests.map((manifest) =>
          manifest.kind === "Deployment" && manifest.metadata.name === "trainer"
            ? (JSON.parse(JSON.stringify(manifest).replace(change[0], change[1])) as Manifest)
            : manifest,
        );
        await assert.rejects(apply(withTag(bad, "9.9.9")), { reason: "APPLY_REFUSED", message: told });
        assert.equal(await versions(), before);
      });
    }

    test("given a field that somebody else has set, it is not taken over but by force", async () => {
      await kubectl.run(["scale", "deployment", "data-shard", "-n", namespace, "--replicas=3"]);
      await assert.rejects(apply(manifests), {
        reason: "APPLY_REFUSED",
        message: /conflict.*--force takes them over/s,
      });
      await apply(manifests, true);
      const replicas = ["get", "deployment", "data-shard", "-n", namespace, "-o", "jsonpath={.spec.replicas}"];
      assert.equal(await kubectl.run(replicas), "1");
    });

    test("removed, only volumes and secrets stay", async () => {
      const said = await remove(manifests, false);
      assert.match(
        said.at(-1) ?? "",
        /kept in namespace pretrain[\s\S]*persistentvolumeclaim\/ledger-report-0[\s\S]*secret\/pretrain-access/,
      );
      assert.deepEqual(await kindsLeft(), ["PersistentVolumeClaim", "Secret", "ServiceAccount"]); // the last is the cluster's own
    });

    test("given what had stayed, it is applied again with the same keys; a certificate about to expire alone is replaced", async () => {
      const before = await expiringCertificate("trainer");
      const said = await apply(manifests);
      assert.deepEqual(
        said.filter((line) => /^(secret|certificates|the operator)/.test(line)),
        ["certificates for 365 days: trainer"],
      );
      const after = await certificate("trainer");
      assert.ok(after.validToDate.getTime() - before.validToDate.getTime() > 300 * dayMs);
      assert.ok(after.checkIssued(new X509Certificate(await read("pretrain-authority", "tls.crt"))));
      assert.equal(after.subject, "CN=trainer");
      assert.match(
        after.subjectAltName ?? "",
        /DNS:trainer, DNS:trainer\.pretrain\.svc,.*DNS:localhost, IP Address:127\.0\.0\.1/,
      );
      assert.match((await certificate("nats")).subjectAltName ?? "", /DNS:nats-0\.nats,/);
    });

    test("removed with its data, nothing is left of it", async () => {
      await remove(manifests, true);
      assert.equal(await kubectl.run(["get", "namespace", namespace, "--ignore-not-found"]), "");
      assert.doesNotMatch(await kubectl.run(["get", "priorityclasses", "-o", "name"]), /pretrain/);
    });
  });

  async function read(secret: string, key: string): Promise<string> {
    const path = `jsonpath={.data.${key.replaceAll(".", "\\.")}}`;
    return Buffer.from(await kubectl.run(["get", "secret", secret, "-n", namespace, "-o", path]), "base64").toString();
  }

  async function certificate(identity: string): Promise<X509Certificate> {
    return new X509Certificate(await read(`${identity}-tls`, "tls.crt"));
  }

  /** Puts one that is good for ten days more in the place of an identity's. */
  async function expiringCertificate(identity: string): Promise<X509Certificate> {
    const [certificatePem, key] = [
      await read("pretrain-authority", "tls.crt"),
      await read("pretrain-authority", "tls.key"),
    ];
    const authority = await restoreAuthority({ certificate: certificatePem, key });
    const issued = join(folder, "expiring");
    await authority.issue(issued, { name: identity, validDays: 10 });
    const data = {
      "tls.crt": await readFile(join(issued, "tls.crt"), "base64"),
      "tls.key": await readFile(join(issued, "tls.key"), "base64"),
    };
    await kubectl.run(["patch", "secret", `${identity}-tls`, "-n", namespace, "-p", JSON.stringify({ data })]);
    return certificate(identity);
  }

  /** Kinds of all that is in the namespace, as far as it could be anybody's. */
  async function kindsLeft(): Promise<readonly string[]> {
    const names = (await kubectl.run(["api-resources", "--verbs=list", "--namespaced", "-o", "name"]))
      .trim()
      .split("\n");
    const asked = names.filter((name) => !name.startsWith("events")).join(",");
    const printed = await kubectl.run(["get", asked, "-n", namespace, "-o", "json"]);
    const { items } = JSON.parse(printed) as { items: readonly Manifest[] };
    return [...new Set(items.map(({ kind }) => kind))].sort();
  }

  describe("the overlay gpu-pool", () => {
    let manifests: readonly Manifest[];
    const workers = "app.kubernetes.io/name=trainer-worker";

    before(async () => {
      await kubectl.run(["apply", "--server-side", "-f", extensionsFolder]);
      await kubectl.run(["wait", "--for=condition=Established", "crd", "--all", `--timeout=${timeoutMs / 1000}s`]);
      manifests = await manifestsOf("gpu-pool");
    });

    test("given a store that only the operator has the key of, the command says how to hand it over, and waits for that", async () => {
      const command =
        /kubectl -n pretrain create secret generic pretrain-s3 --from-literal=AWS_ACCESS_KEY_ID=… --from-literal=AWS_SECRET_ACCESS_KEY=…/;
      await assert.rejects(apply(manifests), { reason: "SECRETS_MISSING", message: command });
      assert.equal(await kubectl.run(["get", "scaledjobs,deployments", "-n", namespace, "-o", "name"]), "");
      const literals = ["--from-literal=AWS_ACCESS_KEY_ID=key", "--from-literal=AWS_SECRET_ACCESS_KEY=secret"];
      await kubectl.run(["create", "secret", "generic", "pretrain-s3", "-n", namespace, ...literals]);
      const said = await apply(manifests);
      assert.ok(!said.some((line) => line.startsWith("certificates")), "cert-manager makes those");
    });

    test("given it once, it is what the manifests say: no difference, no warning, every pod admitted under restricted", async () => {
      await expectApplied(manifests);
    });

    test("refused by restricted: the same worker with privileges, as a pod", async () => {
      const privileged = workerPod(manifests, "trainer-worker", { name: "privileged" });
      const [container] = privileged.spec.containers;
      const bad = {
        ...privileged,
        spec: { ...privileged.spec, containers: [{ ...container, securityContext: { privileged: true } }] },
      };
      const { code, stderr } = await kubectl.ask(["create", "-f", "-"], writtenManifests([bad]));
      assert.deepEqual([code, /violates PodSecurity "restricted:latest":.*privileged/.test(stderr)], [1, true], stderr);
    });

    describe("with one node of one GPU", () => {
      let running: Pod;

      before(async () => {
        const template = workerPod(manifests, "trainer-worker", { name: "any" });
        await addGpuNode(kubectl, { name: "gpu-1", gpus: 1, labels: template.spec.nodeSelector ?? {} });
      });

      test("given two pieces of work, the jobs that KEDA makes become two pods: one gets the GPU, the other waits for one", async () => {
        await kubectl.run(
          ["create", "-f", "-"],
          writtenManifests([jobOf(manifests, "trainer-worker", "first"), jobOf(manifests, "trainer-worker", "second")]),
        );
        const pods = await until(
          async () => {
            const found = await podsOf(kubectl, namespace, workers);
            return found.length === 2 && found.some(isBound) && found.some((pod) => whyPending(pod) !== "") && found;
          },
          { timeoutMs },
        );
        assert.deepEqual(
          pods.filter(isBound).map(({ spec }) => spec.nodeName),
          ["gpu-1"],
        );
        assert.match(pods.map(whyPending).join(""), /0\/1 nodes are available: 1 Insufficient nvidia\.com\/gpu/);
        running = pods.find(isBound) as Pod;
      });

      for (const [lack, change, told] of [
        ["the toleration of GPU nodes", { tolerations: [] }, /untolerated taint/],
        [
          "a node with the label",
          { nodeSelector: { "nvidia.com/gpu.present": "elsewhere" } },
          /didn't match Pod's node affinity\/selector/,
        ],
      ] as const) {
        test(`given a worker that lacks ${lack}, it is put on no node`, async () => {
          const pod = workerPod(manifests, "trainer-worker", { name: "lacking", ...change });
          await kubectl.run(["create", "-f", "-"], writtenManifests([pod]));
          const [found] = await until(
            async () => {
              const pods = await podsOf(kubectl, namespace, "sample=lacking");
              return pods.some((each) => whyPending(each) !== "") && pods;
            },
            { timeoutMs },
          );
          assert.match(whyPending(found as Pod), told);
          await forget(kubectl, found as Pod);
        });
      }

      test("a worker that trains is not evicted by who empties its node", async () => {
        await tellRunning(kubectl, running);
        const { name } = running.metadata;
        const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
        const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
        await until(
          async () => {
            const { status } = await get<{ status?: { observedGeneration?: number } }>(
              "poddisruptionbudget",
              "trainer-worker",
            );
            return status?.observedGeneration === 1;
          },
          { timeoutMs },
        );
        const { code, stderr } = await kubectl.ask(
          ["create", "--raw", path, "-f", "-"],
          writtenManifests([eviction]).slice(4),
        );
        assert.deepEqual(
          [code, /Cannot evict pod as it would violate the pod's disruption budget/.test(stderr)],
          [1, true],
          stderr,
        );
      });

      test("an upgrade changes what is started next; a worker that trains goes on", async () => {
        await apply(withTag(manifests, "9.9.9"));
        const images = async (kind: string, name: string) =>
          JSON.stringify(await get(kind, name)).match(/pretrain-[a-z-]+:[^"]+/g);
        assert.deepEqual(await images("scaledjob", "trainer-worker"), ["pretrain-gpu-worker:9.9.9"]);
        assert.deepEqual(await images("deployment", "trainer"), ["pretrain-cpu-worker:9.9.9"]);
        const [still] = (await podsOf(kubectl, namespace, workers)).filter(isBound);
        assert.deepEqual([still?.metadata.uid, still?.metadata.deletionTimestamp], [running.metadata.uid, undefined]);
      });

      test("given a worker that is being ended, none is started beside it: it still holds its work and its GPU", async () => {
        const job = running.metadata.labels?.[jobLabel] ?? "";
        await kubectl.run(["delete", "pod", running.metadata.name, "-n", namespace, "--wait=false"]);
        const status = await until(
          async () => {
            const found = (await get<Job>("job", job)).status;
            return found?.terminating === 1 && found;
          },
          { timeoutMs },
        );
        // Were its end already counted, the next one would be on its way: 10 s later, as after any failure.
        assert.deepEqual([status.failed ?? 0, status.uncountedTerminatedPods?.failed ?? []], [0, []]);
        assert.equal((await podsOf(kubectl, namespace, `${jobLabel}=${job}`)).length, 1);
        await forget(kubectl, running);
      });

      for (const [what, exitCode, conditions, failed] of [
        ["its device was not free (exit code 75): no failure of its job", 75, [], 0],
        ["its node went: no failure of its job", 137, ["DisruptionTarget"], 0],
        ["it has a defect (exit code 1): one failure of the few that its job may have", 1, [], 1],
      ] as const) {
        test(`given a worker that ended as ${what}`, async () => {
          const job = jobOf(manifests, "trainer-worker", `ends-${exitCode}`);
          const selector = `${jobLabel}=${job.metadata.name}`;
          await kubectl.run(["create", "-f", "-"], writtenManifests([job]));
          const pod = await until(async () => (await podsOf(kubectl, namespace, selector))[0], { timeoutMs });
          await tellFailed(kubectl, pod, exitCode, conditions);
          await until(
            async () => {
              const [ended] = await podsOf(kubectl, namespace, selector);
              return ended?.metadata.uid === pod.metadata.uid && !ended.metadata.finalizers?.includes(notCounted);
            },
            { timeoutMs },
          );
          assert.equal((await get<Job>("job", job.metadata.name)).status?.failed ?? 0, failed);
        });
      }

      test("given an evaluation on the only GPU, a training worker pushes it out; its work goes back to the queue", async () => {
        const labels = { sample: "pushing" };
        await addGpuNode(kubectl, { name: "gpu-2", gpus: 1, labels });
        const place = { nodeSelector: labels };
        const evaluation = { name: "evaluation", priorityClassName: "pretrain-evaluation", ...place };
        await kubectl.run(
          ["create", "-f", "-"],
          writtenManifests([workerPod(manifests, "trainer-worker", evaluation)]),
        );
        await until(async () => (await podsOf(kubectl, namespace, "sample=evaluation")).some(isBound), { timeoutMs });
        await kubectl.run(
          ["create", "-f", "-"],
          writtenManifests([workerPod(manifests, "trainer-worker", { name: "training", ...place })]),
        );
        const out = await until(
          async () => {
            const [pod] = await podsOf(kubectl, namespace, "sample=evaluation");
            return pod?.metadata.deletionTimestamp !== undefined && pod;
          },
          { timeoutMs },
        );
        assert.equal(
          out.status.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason,
          "PreemptionByScheduler",
        );
        await forget(kubectl, out);
        await until(async () => (await podsOf(kubectl, namespace, "sample=training")).some(isBound), { timeoutMs });
      });
    });

    for (const [overlay, without] of [
      ["every-choice", []],
      ["ha", ["grpcroute", "httproute", "localqueue", "clusterqueue", "resourceflavor"]],
    ] as const) {
      test(`given the overlay ${overlay} after it, the cluster is what its manifests say, and of what it lacks nothing is left`, async () => {
        const next = await manifestsOf(overlay);
        await apply(next);
        await expectApplied(next);
        for (const kind of without) assert.equal(await kubectl.run(["get", kind, "-A", "-o", "name"]), "");
      });
    }

    interface Job {
      readonly status?: {
        readonly failed?: number;
        readonly terminating?: number;
        readonly uncountedTerminatedPods?: { readonly failed?: readonly string[] };
      };
    }

    async function get<T>(kind: string, name: string): Promise<T> {
      return JSON.parse(await kubectl.run(["get", kind, name, "-n", namespace, "-o", "json"])) as T;
    }
  });
});

function isBound({ spec, status, metadata }: Pod): boolean {
  return spec.nodeName !== undefined && status.phase !== "Failed" && metadata.deletionTimestamp === undefined;
}

/** The scheduler's own words, or nothing while it has not said any. */
function whyPending({ status }: Pod): string {
  return (
    status.conditions?.find(({ type, reason }) => type === "PodScheduled" && reason === "Unschedulable")?.message ?? ""
  );
}

/** Of the pods of a job. */
const jobLabel = "batch.kubernetes.io/job-name";
/** On a pod until its job has taken its end into account. */
const notCounted = "batch.kubernetes.io/job-tracking";
