/** Nobody speaks with anybody but by an arrow that a program needs, and every arrow that one needs is there, at both of its ends. */
import { allowedArrows, neededArrows, type Rules } from "../arrows.ts";
import { containersOf, type Manifest, ofKind, plainEnvironment, type Selector, selects } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

/** Where clouds hand out their machines' credentials. */
const metadataAddresses = "169.254.0.0/16";
/** Two servers in one program: their arrows between themselves are allowed also where there is one alone. */
const harmless = "nats → nats:6222";

export const network: Rule = (manifests) => {
  const needed = neededArrows(manifests);
  const policies = ofKind(manifests, "NetworkPolicy");
  return [
    ...when(!policies.some(deniesEverything), "pods that no policy names are open"),
    ...(["ingress", "egress"] as const).flatMap((side) => {
      const allowed = allowedArrows(manifests, side);
      return [
        ...[...needed].filter((arrow) => !allowed.has(arrow)).map((arrow) => `${arrow} is needed and has no ${side}`),
        ...[...allowed]
          .filter((arrow) => !needed.has(arrow) && arrow !== harmless)
          .map((arrow) => `${arrow} is let through (${side}) and nobody needs it`),
      ];
    }),
    ...policies.flatMap((policy) => [...ingressFaults(manifests, policy), ...egressFaults(policy)]),
    ...storeFaults(manifests),
  ];
};

/** Selecting a pod denies what no policy allows; an empty selector selects also those that come later. */
function deniesEverything({ spec = {} }: Manifest): boolean {
  const types = spec["policyTypes"] as readonly string[];
  return isEverything(spec["podSelector"] as Selector) && types.includes("Ingress") && types.includes("Egress");
}

function ingressFaults(manifests: readonly Manifest[], { metadata: { name }, spec = {} }: Manifest): readonly string[] {
  const own = containersOf(manifests).filter(({ of }) =>
    selects(spec["podSelector"] as Selector, of.pod.metadata.labels),
  );
  const ports = own.flatMap(({ container }) => (container.ports ?? []).map(({ containerPort }) => containerPort));
  return ((spec["ingress"] ?? []) as readonly Rules[]).flatMap((rule) => [
    ...when(
      rule.from === undefined || rule.from.some(({ namespaceSelector }) => isEverything(namespaceSelector)),
      `${name} lets everybody in`,
    ),
    ...(rule.ports ?? []).flatMap(({ port }) =>
      when(own.length > 0 && !ports.includes(port) && port !== 6222, `${name} opens ${port}, where nobody listens`),
    ),
    ...when(rule.ports === undefined, `${name} opens every port`),
  ]);
}

function egressFaults({ metadata: { name }, spec = {} }: Manifest): readonly string[] {
  return ((spec["egress"] ?? []) as readonly Rules[]).flatMap((rule) => [
    ...when(rule.to === undefined || rule.ports === undefined, `${name} lets out to everywhere`),
    ...(rule.to ?? []).flatMap(({ ipBlock, namespaceSelector }) => [
      ...when(
        ipBlock?.cidr === "0.0.0.0/0" && ipBlock.except?.includes(metadataAddresses) !== true,
        `${name} lets out to the machines' credentials at ${metadataAddresses}`,
      ),
      ...when(isEverything(namespaceSelector), `${name} lets out to every namespace`),
    ]),
  ]);
}

/** A store that is no pod here is reached by an address, and by those alone that have its key. */
function storeFaults(manifests: readonly Manifest[]): readonly string[] {
  return containersOf(manifests).flatMap(({ of: { name, pod }, container }) => {
    const told = plainEnvironment(manifests, container);
    const isElsewhere = told["PRETRAIN_BLOBS"]?.startsWith("s3:") === true && told["AWS_ENDPOINT_URL"] === undefined;
    const leaves = ofKind(manifests, "NetworkPolicy").some(
      ({ spec = {} }) =>
        selects(spec["podSelector"] as Selector, pod.metadata.labels) &&
        ((spec["egress"] ?? []) as readonly Rules[]).some(({ to }) => to?.some(({ ipBlock }) => ipBlock) === true),
    );
    return when(isElsewhere !== leaves, `${name} ${leaves ? "may leave the cluster" : "cannot reach the store"}`);
  });
}

function isEverything(selector: Selector | undefined): boolean {
  return selector !== undefined && Object.keys(selector).length === 0;
}
