/** Every pod of the overlay `local`, as containers of this machine under their own securityContext. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Unavailable } from "@pretrain/errors";
import { renderedOverlay } from "../../overlays/index.ts";
import { parsedManifests } from "../../overlays/manifests.ts";
import type { Containers } from "../containers.ts";
import { type LiveFacts, liveFacts } from "./live-facts.ts";
import { type LocalNetwork, openNetwork } from "./network.ts";
import { type Pod, type Probe, podOf } from "./pod.ts";
import { podmanArguments, type Surroundings } from "./podman-arguments.ts";
import { type LocalSecrets, localSecrets } from "./secrets.ts";
import { prepareVolumes } from "./volumes.ts";

export interface LocalPods extends AsyncDisposable {
  readonly pods: readonly Pod[];
  readonly secrets: LocalSecrets;
  readonly network: LocalNetwork;
  /** Folder of the claim `texts`, which data-shard reads. */
  readonly texts: string;
  /** Milliseconds from its start until a pod's startup probe was answered. */
  readonly startedAfterMs: ReadonlyMap<string, number>;
  /** What holds for a pod's first process now. */
  facts(pod: string): Promise<LiveFacts>;
  /** What was written into the container itself and not into a volume: podman's list, empty if nothing was. */
  written(pod: string): Promise<readonly string[]>;
  log(pod: string): Promise<string>;
  /** SIGTERM, as long as the pod's manifest gives it, then SIGKILL. */
  stop(pod: string): Promise<{ readonly exitCode: number; readonly afterMs: number }>;
}

/** How long a pod may take until its startup probe is answered. */
const startLimitMs = 120_000;

/**
 * Starts all pods at once, as Kubernetes would, and waits for their startup probes.
 *
 * @param folder new, for volumes and secrets; what it holds is thrown away by whoever made it
 * @throws Unavailable with a pod's last words when it does not come up; FailedPrecondition for a manifest that is not obeyed here
 */
export async function startLocalPods(containers: Containers, folder: string): Promise<LocalPods> {
  await using starting = new AsyncDisposableStack();
  const manifests = parsedManifests(await renderedOverlay("local"));
  const pods = manifests.flatMap((manifest) => podOf(manifest) ?? []);
  const secrets = await localSecrets(manifests, join(folder, "secrets"));
  const claims = join(folder, "claims");
  const texts = join(claims, "texts");
  await mkdir(texts, { recursive: true });
  const network = starting.use(await openNetwork());
  const services = manifests.flatMap(({ kind, metadata }) => (kind === "Service" ? [metadata.name] : []));
  starting.defer(async () => void (await containers.podman("rm", "--all", "--force", "--time", "0")));
  const startedMs = performance.now();
  for (const pod of pods) {
    const volumes = await prepareVolumes(pod, join(folder, "volumes"), claims, secrets);
    const folderOf = (volume: string) => volumes.get(volume) ?? missing(pod, volume);
    const surroundings: Surroundings = { network: network.path, hosts: services, folderOf, ...secrets };
    await containers.podman(...podmanArguments(pod, surroundings));
  }
  const log = (pod: string) => containers.podman("logs", "--tail", "20", pod);
  const authority = join(secrets.certificates, "ca.crt");
  const started = await Promise.all(
    pods.map(async (pod) => {
      await untilStarted(pod, () => isStarted(containers, network, pod, authority), log);
      return [pod.name, Math.round(performance.now() - startedMs)] as const;
    }),
  );
  const running = starting.move();
  return {
    pods,
    secrets,
    network,
    texts,
    startedAfterMs: new Map(started),
    facts: async (pod) => liveFacts(Number(await containers.podman("inspect", "--format", "{{.State.Pid}}", pod))),
    written: async (pod) => (await containers.podman("diff", pod)).split("\n").filter((line) => line !== ""),
    log,
    stop: (pod) => stopPod(containers, pod),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Broker and store last: who asks is gone before who is asked. */
export function inOrderOfEnd(pods: readonly Pod[]): readonly Pod[] {
  const asked = ["nats", "s3"];
  return pods.toSorted((a, b) => asked.indexOf(a.workload) - asked.indexOf(b.workload));
}

function missing(pod: Pod, volume: string): never {
  throw new TypeError(`pod ${pod.name} mounts ${volume}, which is no volume of it`);
}

async function untilStarted(
  pod: Pod,
  isUp: () => Promise<boolean>,
  log: (pod: string) => Promise<string>,
): Promise<void> {
  const limitMs = performance.now() + startLimitMs;
  while (!(await isUp())) {
    if (performance.now() > limitMs) {
      const message = `pod ${pod.name} is not up after ${startLimitMs / 1000} s; its last words: ${await log(pod.name)}`;
      throw new Unavailable("POD_FAILED", message, { pod: pod.name });
    }
    await pause(200);
  }
}

/** gRPC by the image's own health check, HTTP as the kubelet asks: a status from 200 to 399. */
async function isStarted(containers: Containers, network: LocalNetwork, pod: Pod, authority: string): Promise<boolean> {
  const probe: Probe = pod.spec.containers[0]?.startupProbe ?? {};
  const ask =
    probe.grpc === undefined
      ? () =>
          network.run(
            process.execPath,
            ["-e", `fetch(process.argv[1]).then((a) => process.exit(a.ok ? 0 : 1))`, urlOf(probe)],
            { NODE_EXTRA_CA_CERTS: authority },
          )
      : () => containers.podman("exec", pod.name, "/usr/local/bin/node", "/opt/pretrain/health-check.ts");
  return await ask().then(
    () => true,
    () => false,
  );
}

function urlOf({ httpGet }: Probe): string {
  if (httpGet === undefined) throw new TypeError("a pod has a startup probe");
  return `${(httpGet.scheme ?? "HTTP").toLowerCase()}://localhost:${httpGet.port}${httpGet.path}`;
}

async function stopPod(containers: Containers, pod: string) {
  const beforeMs = performance.now();
  await containers.podman("stop", pod);
  const afterMs = Math.round(performance.now() - beforeMs);
  return { exitCode: Number(await containers.podman("inspect", "--format", "{{.State.ExitCode}}", pod)), afterMs };
}
