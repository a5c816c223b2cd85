/** Takes away what was applied. Volumes and secrets stay, so that the overlay applied again goes on where it was, unless told otherwise. */
import type { Kubectl } from "../kubectl/index.ts";
import type { Manifest } from "../overlays/manifests.ts";
import { clusterKinds } from "./cluster-kinds.ts";
import { namespaceOf } from "./namespace.ts";
import { appliedResources, kept, type Resource, removeResources } from "./ours.ts";

export interface RemoveOptions {
  /** Volumes, keys and the namespace too: every record, checkpoint and event. */
  readonly withData: boolean;
  readonly say: (line: string) => void;
}

/** @throws FailedPrecondition with the cluster's words when something does not go */
export async function removeOverlay(
  kubectl: Kubectl,
  manifests: readonly Manifest[],
  { withData, say }: RemoveOptions,
): Promise<void> {
  const namespace = namespaceOf(manifests);
  const there = await kubectl.run(["get", "namespace", namespace.name, "-o", "name", "--ignore-not-found"]);
  if (there === "") return say(`there is no namespace ${namespace.name}: nothing to remove`);
  const applied = await appliedResources(kubectl, await clusterKinds(kubectl), namespace);
  if (withData) {
    await kubectl.run(["delete", "namespace", namespace.name, "--timeout=10m"]);
    say(`removed namespace ${namespace.name} with its volumes and keys`);
    return removeResources(kubectl, namespace, applied.filter(isOutside), say);
  }
  await removeResources(
    kubectl,
    namespace,
    applied.filter(({ kind }) => !kept.has(kind)),
    say,
  );
  const stays = await kubectl.run(["get", "persistentvolumeclaims,secrets", "-n", namespace.name, "-o", "name"]);
  say(`kept in namespace ${namespace.name}, for the next time (--with-data removes them):\n${indented(stays)}`);
}

/** Of namespaces; the one that was removed is not asked for again. */
function isOutside({ namespaced, kind }: Resource): boolean {
  return !namespaced && kind !== "Namespace";
}

function indented(lines: string): string {
  return lines.trim().replaceAll(/^/gm, "  ");
}
