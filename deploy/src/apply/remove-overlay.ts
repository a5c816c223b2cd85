/** Takes away what was applied. Volumes and secrets stay, so that the overlay applied again goes on where it was, unless told otherwise. */
import type { Kubectl } from "../kubectl/index.ts";
import type { Manifest } from "../overlays/manifests.ts";
import { namespaceOf } from "./namespace.ts";
import { appliedResources, kept, removeResources } from "./ours.ts";

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
  const applied = there === "" ? [] : await appliedResources(kubectl, namespace);
  const going = applied.filter(({ kind }) => !kept.has(kind));
  await removeResources(kubectl, namespace, going, say);
  if (there === "") return say(`there is no namespace ${namespace.name}: nothing to remove`);
  if (withData) {
    await kubectl.run(["delete", "namespace", namespace.name, "--timeout=10m"]);
    return say(`removed namespace ${namespace.name} with its volumes and keys`);
  }
  const stays = await kubectl.run(["get", "persistentvolumeclaims,secrets", "-n", namespace.name, "-o", "name"]);
  say(`kept in namespace ${namespace.name}, for the next time (--with-data removes them):\n${indented(stays)}`);
}

function indented(lines: string): string {
  return lines.trim().replaceAll(/^/gm, "  ");
}
