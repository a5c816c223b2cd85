/**
 * Brings a cluster to what an overlay says, and says so: at the first time, again, and with another version. A run that is stopped in
 * the middle is taken up by the next one: each step first looks at what is there.
 */
import { FailedPrecondition } from "@pretrain/errors";
import type { Kubectl } from "../kubectl/index.ts";
import { type Manifest, writtenManifests } from "../overlays/manifests.ts";
import { clusterKinds } from "./cluster-kinds.ts";
import { fieldManager, type Namespace, namespaceOf } from "./namespace.ts";
import { nextSteps } from "./next-steps.ts";
import { appliedResources, obsolete, removeResources } from "./ours.ts";
import { checkPrerequisites } from "./prerequisites.ts";
import { ensureSecrets } from "./secrets.ts";

export interface ApplyOptions {
  /** Waits until every pod of the new state is ready, this long. kubectl's form: `10m`. */
  readonly waitFor?: string;
  /** Takes fields over that somebody else has set. */
  readonly force: boolean;
  /** One line for the operator. */
  readonly say: (line: string) => void;
}

/**
 * @throws what `checkPrerequisites` and `ensureSecrets` throw; FailedPrecondition, with the cluster's words, for what it refuses and
 * for a pod that is not ready in time
 */
export async function applyOverlay(
  kubectl: Kubectl,
  manifests: readonly Manifest[],
  { waitFor, force, say }: ApplyOptions,
): Promise<void> {
  const namespace = namespaceOf(manifests);
  const kinds = await clusterKinds(kubectl);
  for (const note of await checkPrerequisites(kubectl, kinds, manifests)) say(`note: ${note}`);
  await serverSideApply(kubectl, [namespace.manifest], { force });
  say(`namespace ${namespace.name}`);
  // Asked first: one that is refused leaves the others as they were.
  for (const warning of await serverSideApply(kubectl, manifests, { force, onlyAsk: true })) say(warning);
  await ensureSecrets(kubectl, namespace, manifests, say);
  await serverSideApply(kubectl, manifests, { force });
  say(`applied ${manifests.length} resources`);
  const gone = obsolete(await appliedResources(kubectl, kinds, namespace), manifests);
  await removeResources(kubectl, namespace, gone, say);
  if (waitFor !== undefined) await waitUntilReady(kubectl, namespace, manifests, waitFor, say);
  say(nextSteps(namespace, manifests));
}

/** @returns what it warns of. @throws FailedPrecondition for what it refuses, and for pods that it accepts but will not let start */
async function serverSideApply(
  kubectl: Kubectl,
  manifests: readonly Manifest[],
  { force, onlyAsk = false }: { readonly force: boolean; readonly onlyAsk?: boolean },
): Promise<readonly string[]> {
  const parameters = ["apply", "--server-side", `--field-manager=${fieldManager}`, "-f", "-"];
  if (force) parameters.push("--force-conflicts");
  if (onlyAsk) parameters.push("--dry-run=server");
  const { code, stderr } = await kubectl.ask(parameters, writtenManifests(manifests));
  const warnings = stderr.split("\n").filter((line) => line.startsWith("Warning:"));
  const refused =
    code === 0 ? warnings.filter((line) => line.includes("violate PodSecurity")).join("\n") : stderr.trim();
  if (refused === "") return warnings;
  const message = `the cluster refuses: ${refused.slice(0, 4000)}${hint(refused)}`;
  throw new FailedPrecondition("APPLY_REFUSED", message);
}

function hint(told: string): string {
  if (!told.includes("conflict")) return "";
  return "\nsomebody else has set these fields; --force takes them over";
}

async function waitUntilReady(
  kubectl: Kubectl,
  { name: namespace }: Namespace,
  manifests: readonly Manifest[],
  limit: string,
  say: (line: string) => void,
): Promise<void> {
  for (const { kind, metadata } of manifests) {
    if (kind !== "Deployment" && kind !== "StatefulSet") continue;
    const name = `${kind.toLowerCase()}/${metadata.name}`;
    await kubectl.run(["rollout", "status", name, "-n", namespace, `--timeout=${limit}`]);
    say(`ready: ${name}`);
  }
}
