/** Where certificates are made here, each identity has one, under the names that others call it by. */
import { toldPeers } from "../arrows.ts";
import { type Manifest, ofKind, workloadsOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

interface CertificateSpec {
  readonly secretName: string;
  readonly commonName: string;
  readonly subject?: unknown;
  readonly dnsNames?: readonly string[];
  readonly usages?: readonly string[];
  readonly isCA?: boolean;
}

export const certificates: Rule = (manifests) => {
  const all = ofKind(manifests, "Certificate").map(({ spec }) => spec as unknown as CertificateSpec);
  if (all.length === 0) return []; // whoever installs makes them
  const called = workloadsOf(manifests).flatMap((workload) => toldPeers(manifests, workload));
  return [
    ...all.filter(({ isCA }) => isCA !== true).flatMap(identityFaults),
    ...workloadsOf(manifests).flatMap(({ name, pod }) => {
      const mounted = pod.spec.volumes?.some(({ secret }) => secret?.secretName === `${name}-tls`) === true;
      const own = all.find(({ secretName }) => secretName === `${name}-tls`);
      if (!mounted) return [];
      if (own === undefined) return [`nobody makes the certificate of ${name}`];
      const hosts = new Set(called.map(({ host }) => host).filter((host) => host.replace(/^.*\./, "") === name));
      return [...hosts].flatMap((host) =>
        when(own.dnsNames?.includes(host) !== true, `${name} is called ${host}, which is no name in its certificate`),
      );
    }),
    ...when(!hasViewer(manifests), "nobody makes the certificate of viewer, for those who only look"),
  ];
};

/** The broker compares the whole subject, which must be the common name and nothing else. */
function identityFaults({ secretName, commonName, subject, usages = [] }: CertificateSpec): readonly string[] {
  return [
    ...when(secretName !== `${commonName}-tls`, `secret ${secretName} is the certificate of ${commonName}`),
    ...when(subject !== undefined, `the subject of ${commonName} is more than its common name`),
    ...when(
      !usages.includes("client auth") || !usages.includes("server auth"),
      `${commonName} cannot both call and be called by its certificate`,
    ),
  ];
}

function hasViewer(manifests: readonly Manifest[]): boolean {
  return ofKind(manifests, "Certificate").some(({ metadata }) => metadata.name === "viewer");
}
