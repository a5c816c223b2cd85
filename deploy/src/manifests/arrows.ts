/** Who calls whom: as programs are told by their environment, and as network policies let them. */
import {
  type Manifest,
  ofKind,
  plainEnvironment,
  type Selector,
  selects,
  type Workload,
  workloadsOf,
} from "./manifest.ts";

/** `trainer → data-shard:7401` */
export type Arrow = `${string} → ${string}:${number}`;

export interface Rules {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[];
}

export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

const routesPort = 6222;
/** What programs are told that is an address of somebody else's: one, or several with commas. */
const peers = [
  "PRETRAIN_DATA_SHARD",
  "PRETRAIN_TRAINER",
  "PRETRAIN_EVALUATOR",
  "PRETRAIN_NATS_URL",
  "AWS_ENDPOINT_URL",
];

/** Host names and ports that a workload is told to call: `data-shard`, `nats-0.nats`. */
export function toldPeers(
  manifests: readonly Manifest[],
  { pod }: Workload,
): readonly { host: string; port: number }[] {
  return pod.spec.containers.flatMap((container) => {
    if (container.env?.some(({ name }) => name === "PRETRAIN_TLS") !== true) return []; // somebody else's program
    const told = plainEnvironment(manifests, container);
    return peers.flatMap((variable) =>
      (told[variable] ?? "").split(",").flatMap((address) => {
        const [, host = "", port] = /^(?:\w+:\/\/)?([^:/]+):(\d+)/.exec(address) ?? [];
        return port === undefined ? [] : [{ host, port: Number(port) }];
      }),
    );
  });
}

/** Every arrow that somebody needs. Servers of the broker need each other. */
export function neededArrows(manifests: readonly Manifest[]): ReadonlySet<Arrow> {
  const workloads = workloadsOf(manifests);
  const told = workloads.flatMap((from) =>
    toldPeers(manifests, from).map(({ host, port }): Arrow => `${from.name} → ${host.replace(/^.*\./, "")}:${port}`),
  );
  const isCluster = workloads.some(({ name, replicas = 1 }) => name === "nats" && replicas > 1);
  return new Set([...told, ...(isCluster ? [`nats → nats:${routesPort}` as const] : [])]);
}

/** Every arrow between workloads of this installation that policies have, as far as one side is concerned. */
export function allowedArrows(manifests: readonly Manifest[], side: "ingress" | "egress"): ReadonlySet<Arrow> {
  const workloads = workloadsOf(manifests);
  const allowed = ofKind(manifests, "NetworkPolicy").flatMap(({ spec = {} }) => {
    const own = workloads.filter(({ pod }) => selects(spec["podSelector"] as Selector, pod.metadata.labels));
    return ((spec[side] ?? []) as readonly Rules[]).flatMap(({ from, to, ports = [] }) =>
      workloads
        .filter((peer) => (from ?? to ?? []).some((each) => isPod(each, peer)))
        .flatMap((peer) => own.flatMap((each) => ports.map(({ port }) => arrow(side, each.name, peer.name, port)))),
    );
  });
  return new Set(allowed);
}

function isPod({ podSelector, namespaceSelector }: Peer, { pod }: Workload): boolean {
  return namespaceSelector === undefined && podSelector !== undefined && selects(podSelector, pod.metadata.labels);
}

function arrow(side: "ingress" | "egress", own: string, peer: string, port: number): Arrow {
  return side === "egress" ? `${own} → ${peer}:${port}` : `${peer} → ${own}:${port}`;
}
