/**
 * Who defines the kinds of resource that the overlays use: Kubernetes itself, and the projects that a cluster has besides it. Each comes
 * as a Go module at an exact version, whose checksum (as in a go.sum) is part of this table.
 */

export interface Source {
  /** As an operator knows it. */
  readonly project: string;
  /** The API group of its kinds; Kubernetes itself has many. */
  readonly group?: string;
  readonly module: string;
  readonly version: string;
  /** Of the module's contents, as Go writes it. */
  readonly sum: string;
  /** Files inside that are CustomResourceDefinitions; of Kubernetes itself: its description of the API. */
  readonly files: readonly string[];
}

export const kubernetesSource: Source = {
  project: "Kubernetes",
  module: "k8s.io/kubernetes",
  version: "v1.37.2",
  sum: "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE=",
  files: ["api/openapi-spec/swagger.json"],
};

/** Only the kinds that a component of ours may hold: an API server takes seconds for each of the large ones. */
export const extensionSources: readonly Source[] = [
  {
    project: "KEDA",
    group: "keda.sh",
    module: "github.com/kedacore/keda/v2",
    version: "v2.21.0",
    sum: "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
    files: files("config/crd/bases/keda.sh_", "scaledjobs", "scaledobjects", "triggerauthentications"),
  },
  {
    project: "the Prometheus operator",
    group: "monitoring.coreos.com",
    module: "github.com/prometheus-operator/prometheus-operator",
    version: "v0.85.0",
    sum: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    files: files(
      "example/prometheus-operator-crd/monitoring.coreos.com_",
      "podmonitors",
      "prometheusrules",
      "servicemonitors",
    ),
  },
  {
    project: "cert-manager",
    group: "cert-manager.io",
    module: "github.com/cert-manager/cert-manager",
    version: "v1.21.2",
    sum: "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
    files: files("deploy/crds/cert-manager.io_", "certificates", "clusterissuers", "issuers"),
  },
  {
    project: "Gateway API",
    group: "gateway.networking.k8s.io",
    module: "sigs.k8s.io/gateway-api",
    version: "v1.6.3",
    sum: "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
    files: files(
      "config/crd/standard/gateway.networking.k8s.io_",
      "backendtlspolicies",
      "gateways",
      "grpcroutes",
      "httproutes",
    ),
  },
  {
    project: "Kueue",
    group: "kueue.x-k8s.io",
    module: "sigs.k8s.io/kueue",
    version: "v0.17.0",
    sum: "h1:7hzb38M4eKGzYW+CFv2s1L+swzzacUCHOCXxZmAV90I=",
    files: files(
      "config/components/crd/bases/kueue.x-k8s.io_",
      "clusterqueues",
      "localqueues",
      "resourceflavors",
      "workloadpriorityclasses",
    ),
  },
];

function files(prefix: string, ...names: readonly string[]): string[] {
  return names.map((name) => `${prefix}${name}.yaml`);
}
