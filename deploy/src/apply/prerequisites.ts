/** What a cluster must have before an overlay is applied to it, asked of the cluster itself. */
import { FailedPrecondition, Unavailable } from "@pretrain/errors";
import { extensionSources } from "../definitions/sources.ts";
import type { Kubectl } from "../kubectl/index.ts";
import type { Manifest } from "../overlays/manifests.ts";

/** The first whose rules for jobs (which failures count) and budgets (who may be evicted) are those that the manifests use. */
const oldest = { server: [1, 31], client: [1, 30] } as const;

interface Version {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}

/** @throws Unavailable when the cluster does not answer; FailedPrecondition when it, or kubectl, is too old */
export async function expectCluster(kubectl: Kubectl): Promise<void> {
  const { code, stdout, stderr } = await kubectl.ask(["version", "-o", "json", "--request-timeout=20s"]);
  if (code !== 0) {
    const message = `the cluster does not answer: ${stderr.trim().slice(0, 500)}; see \`kubectl config get-contexts\``;
    throw new Unavailable("CLUSTER_UNREACHABLE", message);
  }
  const { clientVersion, serverVersion } = JSON.parse(stdout) as { clientVersion: Version; serverVersion: Version };
  expectVersion("kubectl", clientVersion, oldest.client);
  expectVersion("the cluster", serverVersion, oldest.server);
}

function expectVersion(whose: string, found: Version, [wantedMajor, wantedMinor]: readonly [number, number]): void {
  const [major, minor] = [Number.parseInt(found.major, 10), Number.parseInt(found.minor, 10)]; // a minor may be `31+`
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  const wanted = `${wantedMajor}.${wantedMinor}`;
  const message = `${whose} is of version ${found.gitVersion}; ${wanted} or a later one is needed`;
  throw new FailedPrecondition("TOO_OLD", message, { whose, found: found.gitVersion, wanted });
}

/**
 * @returns what is no fault but may keep pods waiting, one sentence each
 * @throws FailedPrecondition naming every kind that the cluster does not know, whose it is and that it must be installed
 */
export async function checkPrerequisites(kubectl: Kubectl, manifests: readonly Manifest[]): Promise<readonly string[]> {
  await expectKinds(kubectl, manifests);
  return [...(await storageNotes(kubectl, manifests)), ...(await deviceNotes(kubectl, manifests))];
}

async function expectKinds(kubectl: Kubectl, manifests: readonly Manifest[]): Promise<void> {
  const known = new Set((await clusterKinds(kubectl)).map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  const unknown = new Map(manifests.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  for (const kind of known) unknown.delete(kind);
  if (unknown.size === 0) return;
  const missing = [...unknown.values()].map(({ apiVersion, kind }) => `${kind} (${apiVersion}): ${whose(apiVersion)}`);
  const message = `the cluster does not know these kinds; install what they belong to and run this again:\n  ${missing.join("\n  ")}`;
  throw new FailedPrecondition("CLUSTER_LACKS", message, { missing: [...unknown.keys()].join(", ") });
}

export interface ClusterKind {
  /** As kubectl takes it: `scaledjobs.keda.sh`. */
  readonly resource: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Every kind that can be listed, in the version that the cluster prefers. */
export async function clusterKinds(kubectl: Kubectl): Promise<readonly ClusterKind[]> {
  const lines = await kubectl.run(["api-resources", "--verbs=list", "--no-headers"]);
  return lines.split("\n").flatMap((line) => {
    const columns = line.trim().split(/\s+/); // the second one, short names, is not always there
    const [apiVersion, namespaced, kind] = columns.slice(-3);
    const [name] = columns;
    if (name === undefined || apiVersion === undefined || kind === undefined) return [];
    const group = apiVersion.includes("/") ? `.${apiVersion.split("/", 1)[0]}` : "";
    return [{ resource: name + group, apiVersion, kind, namespaced: namespaced === "true" }];
  });
}

function whose(apiVersion: string): string {
  const source = extensionSources.find(({ group }) => group === apiVersion.split("/", 1)[0]);
  return source === undefined
    ? "of a project that is not known here"
    : `${source.project}, tried with ${source.version}`;
}

async function storageNotes(kubectl: Kubectl, manifests: readonly Manifest[]): Promise<readonly string[]> {
  const isLeftToCluster = (claim: unknown) =>
    typeof claim === "object" && claim !== null && !("storageClassName" in claim) && !("volumeName" in claim);
  const claims = manifests.flatMap(({ kind, spec }) => {
    if (kind === "PersistentVolumeClaim") return [spec];
    const templates = spec?.["volumeClaimTemplates"];
    return Array.isArray(templates) ? templates.map((template: { spec?: unknown }) => template.spec) : [];
  });
  if (!claims.some(isLeftToCluster)) return [];
  const { items } = JSON.parse(await kubectl.run(["get", "storageclasses", "-o", "json"])) as { items: Annotated[] };
  const isDefault = ({ metadata }: Annotated) => metadata.annotations?.[defaultClass] === "true";
  if (items.some(isDefault)) return [];
  return ["no StorageClass is the default one: volumes wait until there is one, or until the overlay names one"];
}

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

const defaultClass = "storageclass.kubernetes.io/is-default-class";

/** A pool may be at 0 nodes, so this is no fault. */
async function deviceNotes(kubectl: Kubectl, manifests: readonly Manifest[]): Promise<readonly string[]> {
  if (!manifests.some((manifest) => JSON.stringify(manifest).includes(`"${device}"`))) return [];
  const { items } = JSON.parse(await kubectl.run(["get", "nodes", "-o", "json"])) as { items: readonly Node[] };
  if (items.some(({ status }) => status?.allocatable?.[device] !== undefined)) return [];
  return [`no node offers ${device} now: workers wait until one does (its device plugin tells the cluster)`];
}

const device = "nvidia.com/gpu";

interface Node {
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
}
