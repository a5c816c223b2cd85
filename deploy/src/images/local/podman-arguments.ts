/** A pod's container as the arguments of `podman run`: each field of the manifest's security becomes one of podman's own. */
import { FailedPrecondition } from "@pretrain/errors";
import { localName } from "../build-image.ts";
import type { LocalContainer, Pod, Variable } from "./pod.ts";

export interface Surroundings {
  /** Path of the network namespace that all pods share. */
  readonly network: string;
  /** Names by which pods find each other. All are at this machine's own address, where each listens on its own ports. */
  readonly hosts: readonly string[];
  /** Absolute folder of a volume of the pod. */
  readonly folderOf: (volume: string) => string;
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly secrets: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** @throws FailedPrecondition for what is asked of the kernel in another way than we can prove, and for a name that leads nowhere */
export function podmanArguments(pod: Pod, surroundings: Surroundings): readonly string[] {
  const [container, ...more] = pod.spec.containers;
  if (container === undefined || more.length > 0) throw refused(pod, "has not exactly one container");
  const { command = [], args = [], image } = container;
  const environment = environmentOf(pod, container, surroundings);
  const expand = (word: string) => word.replace(/\$\(([A-Z_]+)\)/g, (all, name) => environment.get(name) ?? all);
  return [
    "run",
    "--detach",
    "--pull=never",
    "--no-healthcheck",
    `--name=${pod.name}`,
    `--hostname=${pod.name}`,
    `--network=ns:${surroundings.network}`,
    ...surroundings.hosts.map((host) => `--add-host=${host}:127.0.0.1`),
    ...securityArguments(pod, container),
    `--memory=${bytesOf(container.resources.limits.memory)}`,
    `--stop-timeout=${pod.spec.terminationGracePeriodSeconds}`,
    ...(container.volumeMounts ?? []).map(
      ({ name, mountPath, readOnly }) =>
        `--volume=${surroundings.folderOf(name)}:${mountPath}:${readOnly === true ? "ro" : "rw"}`,
    ),
    ...[...environment].map(([name, value]) => `--env=${name}=${value}`),
    ...(command.length === 0 ? [] : [`--entrypoint=${JSON.stringify(command)}`]),
    localName(image),
    ...args.map(expand),
  ];
}

function securityArguments(pod: Pod, { securityContext: own }: LocalContainer): string[] {
  const { runAsNonRoot, runAsUser, runAsGroup, fsGroup, seccompProfile } = pod.spec.securityContext;
  if (runAsNonRoot && runAsUser === 0) throw refused(pod, "must not be root and is");
  if (seccompProfile.type !== "RuntimeDefault") throw refused(pod, `wants the seccomp profile ${seccompProfile.type}`);
  return [
    `--user=${runAsUser}:${runAsGroup}`,
    `--group-add=${fsGroup}`,
    ...own.capabilities.drop.map((capability) => `--cap-drop=${capability.toLowerCase()}`),
    ...(own.allowPrivilegeEscalation ? [] : ["--security-opt=no-new-privileges"]), // seccomp: podman's default is on
    ...(own.readOnlyRootFilesystem ? ["--read-only", "--read-only-tmpfs=false"] : []),
  ];
}

function environmentOf(pod: Pod, container: LocalContainer, surroundings: Surroundings): Map<string, string> {
  const { configMaps, secrets } = surroundings;
  const result = new Map<string, string>();
  for (const { configMapRef } of container.envFrom ?? []) {
    const map = configMaps.get(configMapRef.name);
    if (map === undefined) throw refused(pod, `wants the settings ${configMapRef.name}, which are not there`);
    for (const [name, value] of Object.entries(map)) result.set(name, value);
  }
  for (const variable of container.env ?? []) result.set(variable.name, valueOf(pod, variable, secrets));
  return result;
}

function valueOf(pod: Pod, { name, value, valueFrom }: Variable, secrets: Surroundings["secrets"]): string {
  if (value !== undefined) return value;
  if (valueFrom?.fieldRef?.fieldPath === "metadata.name") return pod.name;
  const { secretKeyRef } = valueFrom ?? {};
  const found = secretKeyRef && secrets.get(secretKeyRef.name)?.[secretKeyRef.key];
  if (found === undefined) throw refused(pod, `wants a value for ${name} that is not there`);
  return found;
}

const units = { "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 } as const;

/** `512Mi` */
export function bytesOf(quantity: string): number {
  const [, digits, unit = ""] = /^(\d+)(Ki|Mi|Gi|Ti)?$/.exec(quantity) ?? [];
  if (digits === undefined) throw new RangeError(`${quantity}: a whole number with Ki, Mi, Gi or Ti is expected`);
  return Number(digits) * units[unit as keyof typeof units];
}

function refused(pod: Pod, what: string): FailedPrecondition {
  return new FailedPrecondition("POD_REFUSED", `pod ${pod.name} ${what}`, { pod: pod.name });
}
