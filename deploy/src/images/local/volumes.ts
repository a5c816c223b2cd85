/** A pod's volumes as folders of this machine, owned as the kubelet would have them owned: by root, and by the group that the pod is in. */
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LocalVolume, Pod } from "./pod.ts";
import type { LocalSecrets } from "./secrets.ts";

/** @param claims folder of the volumes that are kept, and shared by their names   @returns by the volume's name, its folder */
export async function prepareVolumes(
  pod: Pod,
  folder: string,
  claims: string,
  { secrets, configMaps }: Pick<LocalSecrets, "secrets" | "configMaps">,
): Promise<ReadonlyMap<string, string>> {
  const group = pod.spec.securityContext.fsGroup;
  const result = new Map<string, string>();
  for (const volume of pod.spec.volumes ?? []) {
    const place = placeOf(volume, join(folder, pod.name), claims);
    await mkdir(place, { recursive: true });
    await chown(place, 0, group);
    await chmod(place, 0o2770);
    const files = filesOf(volume, secrets, configMaps);
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(place, name), text);
      await chown(join(place, name), 0, group);
      await chmod(join(place, name), 0o440);
    }
    result.set(volume.name, place);
  }
  return result;
}

function placeOf({ name, persistentVolumeClaim }: LocalVolume, own: string, claims: string): string {
  return persistentVolumeClaim === undefined ? join(own, name) : join(claims, persistentVolumeClaim.claimName);
}

function filesOf(
  { name, secret, configMap, emptyDir, persistentVolumeClaim }: LocalVolume,
  secrets: LocalSecrets["secrets"],
  configMaps: LocalSecrets["configMaps"],
): Readonly<Record<string, string>> {
  if (emptyDir !== undefined || persistentVolumeClaim !== undefined) return {};
  const files = secret === undefined ? configMaps.get(configMap?.name ?? "") : secrets.get(secret.secretName);
  if (files === undefined) throw new TypeError(`volume ${name}: its secret or settings are not there`);
  return files;
}
