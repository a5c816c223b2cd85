/** Where everything is once it is applied, and what to do with it: from the manifests, so that it is true of every overlay. */
import type { Manifest } from "../overlays/manifests.ts";
import type { Namespace } from "./namespace.ts";

interface ServiceSpec {
  readonly ports?: readonly { readonly name?: string; readonly port: number }[];
}

export function nextSteps({ name: namespace }: Namespace, manifests: readonly Manifest[]): string {
  const ports = manifests.flatMap(({ kind, metadata, spec }) =>
    kind === "Service" ? portsOf(spec).map((port) => ({ service: metadata.name, ...port })) : [],
  );
  const calls = ports.filter(({ name }) => name === "grpc");
  const page = ports.find(({ name }) => name === "page");
  const entry = calls.find(({ service }) => service === "trainer") ?? calls[0];
  return [
    "",
    "inside the cluster:",
    ...calls.map(({ service, port }) => `  ${service.padEnd(12)} ${service}.${namespace}.svc:${port}  (gRPC, TLS)`),
    "from here:",
    ...(page === undefined
      ? []
      : [
          `  kubectl -n ${namespace} port-forward service/${page.service} ${page.port}`,
          `    then https://localhost:${page.port} in a browser, with the key`,
        ]),
    ...(entry === undefined
      ? []
      : [
          `  kubectl -n ${namespace} port-forward service/${entry.service} ${entry.port}`,
          `    then grpcurl -cacert ca.crt -H "authorization: Bearer $PRETRAIN_API_KEY" localhost:${entry.port} list`,
          `  kubectl -n ${namespace} get secret ${entry.service}-tls -o 'jsonpath={.data.ca\\.crt}' | base64 -d > ca.crt`,
        ]),
    `  kubectl -n ${namespace} get pods        what runs now`,
    "more people and their rights: docs/operations.md",
  ].join("\n");
}

function portsOf(spec: Manifest["spec"]): NonNullable<ServiceSpec["ports"]> {
  return (spec as ServiceSpec | undefined)?.ports ?? [];
}
