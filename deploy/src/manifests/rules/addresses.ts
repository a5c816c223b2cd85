/** Where a service listens is where others look for it: in its code, its ports, its probes, its Service, and its mounted files. */
import {
  type Container,
  type Manifest,
  ofKind,
  plainEnvironment,
  selects,
  type Workload,
  workloadsOf,
} from "../manifest.ts";
import { readingOf } from "../programs.ts";
import { type Rule, when } from "./rule.ts";

/** Beyond its gRPC port, as adr 18 has them. */
const healthAfter = 20;

export const addresses: Rule = (manifests) => [
  ...workloadsOf(manifests).flatMap((workload) =>
    workload.pod.spec.containers.flatMap((container) => [
      ...listening(manifests, workload, container),
      ...files(manifests, workload, container),
    ]),
  ),
  ...ofKind(manifests, "Service").flatMap((service) => servicePorts(manifests, service)),
];

function listening(manifests: readonly Manifest[], { name }: Workload, container: Container): readonly string[] {
  const told = plainEnvironment(manifests, container);
  const grpc = told["PRETRAIN_GRPC_ADDRESS"];
  if (grpc === undefined) return []; // a worker, which nobody calls, or somebody else's program
  const own = readingOf(container.args?.[0], {
    PRETRAIN_BLOBS: "file:///b",
    PRETRAIN_STATE: "/s",
    PRETRAIN_DATA_ROOTS: "/d",
  });
  const wanted = {
    grpc: portOf(own?.config["grpc"]),
    http: portOf(own?.config["http"]),
    health: portOf(own?.config["grpc"]) + healthAfter,
  };
  const { startupProbe, readinessProbe, livenessProbe, ports = [] } = container;
  return Object.entries(wanted).flatMap(([what, port]) => [
    ...when(
      told[`PRETRAIN_${what.toUpperCase()}_ADDRESS`] !== `0.0.0.0:${port}`,
      `${name} is not told to listen for ${what} at 0.0.0.0:${port}, its port by its code`,
    ),
    ...when(
      !ports.some((each) => each.name === what && each.containerPort === port),
      `${name} does not name its port ${port} ${what}`,
    ),
    ...Object.entries(what === "health" ? { startupProbe, readinessProbe, livenessProbe } : {}).flatMap(
      ([kind, probe]) => when(probe?.grpc?.port !== port, `${name}'s ${kind} does not ask for its health at ${port}`),
    ),
  ]);
}

/** Certificates, rights and state lie where the program is told to look. */
function files(manifests: readonly Manifest[], { name, pod, spec }: Workload, container: Container): readonly string[] {
  const told = plainEnvironment(manifests, container);
  const volumes = pod.spec.volumes ?? [];
  const claims = ((spec["volumeClaimTemplates"] ?? []) as readonly Manifest[]).map(({ metadata }) => metadata.name);
  const mounted = (path: string | undefined) =>
    (container.volumeMounts ?? []).find(({ mountPath }) => mountPath === path);
  const secretAt = (path: string | undefined) =>
    volumes.find((volume) => volume.name === mounted(path)?.name)?.secret?.secretName;
  const folder = told["PRETRAIN_ACCESS"]?.replace(/\/[^/]*$/, "");
  const state = mounted(told["PRETRAIN_STATE"]);
  const keeps = [...volumes.filter(({ emptyDir }) => emptyDir).map((volume) => volume.name), ...claims];
  return [
    ...when(
      told["PRETRAIN_TLS"] !== undefined && secretAt(told["PRETRAIN_TLS"]) !== `${name}-tls`,
      `${name} has no certificate of its own`,
    ),
    ...when(
      told["PRETRAIN_WORKERS"] === "own" && secretAt(told["PRETRAIN_WORKER_TLS"]) !== `${name}-worker-tls`,
      `${name}'s worker has no certificate of its own`,
    ),
    ...when(
      folder !== undefined && secretAt(folder) !== "pretrain-access",
      `${name} has no access file where it looks for it`,
    ),
    ...when(
      told["PRETRAIN_STATE"] !== undefined &&
        (state === undefined || state.readOnly === true || !keeps.includes(state.name)),
      `${name} cannot write to its state`,
    ),
    ...(told["PRETRAIN_DATA_ROOTS"] ?? "")
      .split(":")
      .flatMap((root) =>
        when(
          root !== "" && mounted(root)?.readOnly !== true,
          `${name} has no texts at ${root}, or could write to them`,
        ),
      ),
  ];
}

interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: string;
}

function servicePorts(manifests: readonly Manifest[], { metadata: { name }, spec = {} }: Manifest): readonly string[] {
  const served = workloadsOf(manifests).find(({ pod }) =>
    selects({ matchLabels: spec["selector"] as Record<string, string> }, pod.metadata.labels),
  );
  const ports = served?.pod.spec.containers.flatMap((container) => container.ports ?? []) ?? [];
  return (spec["ports"] as readonly ServicePort[]).flatMap(({ port, targetPort }) =>
    when(
      !ports.some((each) => each.name === targetPort && each.containerPort === port),
      `Service ${name} leads to ${targetPort} at ${port}, where its pods do not listen`,
    ),
  );
}

function portOf(address: unknown): number {
  return Number(String(address).replace(/^.*:/, ""));
}
