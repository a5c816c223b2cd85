/** What a cluster must have before an overlay is applied to it, asked of the cluster itself. */
import { FailedPrecondition, Unavailable } from "@pretrain/errors";
import { extensionSources } from "../definitions/sources.ts";
import type { Kubectl } from "../kubectl/index.ts";
import type { Manifest } from "../overlays/manifests.ts";
import type { ClusterKind } from "./cluster-kinds.ts";

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
export async function checkPrerequisites(
  kubectl: Kubectl,
  kinds: readonly ClusterKind[],
  manifests: readonly Manifest[],
): Promise<readonly string[]> {
  expectKinds(kinds, manifests);
  const { items } = JSON.parse(await kubectl.run(["get", "storageclasses,nodes", "-o", "json"])) as { items: Found[] };
  return [...storageNotes(items, manifests), ...deviceNotes(items, manifests)];
}

interface Found {
  readonly kind: string;
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
}

function expectKinds(kinds: readonly ClusterKind[], manifests: readonly Manifest[]): void {
  const known = new Set(kinds.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  const unknown = new Map(manifests.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  for (const kind of known) unknown.delete(kind);
  if (unknown.size === 0) return;
  const missing = [...unknown.values()].map(({ apiVersion, kind }) => `${kind} (${apiVersion}): ${whose(apiVersion)}`);
  const message = `the cluster does not know these kinds; install what they belong to and run this again:\n  ${missing.join("\n  ")}`;
  throw new FailedPrecondition("CLUSTER_LACKS", message, { missing: [...unknown.keys()].join(", ") });
}

function whose(apiVersion: string): string {
  const source = extensionSources.find(({ group }) => group === apiVersion.split("/", 1)[0]);
  return source === undefined
    ? "of a project that is not known here"
    : `${source.project}, tried with ${source.version}`;
}

function storageNotes(items: readonly Found[], manifests: readonly Manifest[]): readonly string[] {
  const isLeftToCluster = (claim: unknown) =>
    typeof claim === "object" && claim !== null && !("storageClassName" in claim) && !("volumeName" in claim);
  const claims = manifests.flatMap(({ kind, spec }) => {
    if (kind === "PersistentVolumeClaim") return [spec];
    const templates = spec?.["volumeClaimTemplates"];
    return Array.isArray(templates) ? templates.map((template: { spec?: unknown }) => template.spec) : [];
  });
  if (!claims.some(isLeftToCluster)) return [];
  if (items.some(({ metadata }) => metadata.annotations?.[defaultClass] === "true")) return [];
  return ["no StorageClass is the default one: volumes wait until there is one, or until the overlay names one"];
}

const defaultClass = "storageclass.kubernetes.io/is-default-class";

/** A pool may be at 0 nodes, so this is no fault. */
function deviceNotes(items: readonly Found[], manifests: readonly Manifest[]): readonly string[] {
  if (!manifests.some((manifest) => JSON.stringify(manifest).includes(`"${device}"`))) return [];
  if (items.some(({ status }) => status?.allocatable?.[device] !== undefined)) return [];
  return [`no node offers ${device} now: workers wait until one does (its device plugin tells the cluster)`];
}

const device = "nvidia.com/gpu";
