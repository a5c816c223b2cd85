/** Every program is told what it needs, and nothing that it does not know. */
import { openBlobs } from "@pretrain/blobs";
import { InvalidArgument } from "@pretrain/errors";
import { type Container, containersOf, type Manifest, ofKind, plainEnvironment, type Workload } from "../manifest.ts";
import { namesReadByAny, readingOf } from "../programs.ts";
import { type Rule, when } from "./rule.ts";

/** Set in the same place for a library or a driver, not for our programs. */
const ofOthers = /^(AWS_|NODE_|NVIDIA_|POD_)/;

export const environment: Rule = (manifests) => [
  ...ourContainers(manifests).flatMap(({ of, container }) => containerFaults(manifests, of, container)),
  ...ofKind(manifests, "ConfigMap").flatMap(({ metadata: { name }, data = {} }) =>
    Object.keys(name.startsWith("pretrain-settings") ? data : {}).flatMap((key) =>
      when(!namesReadByAny().has(key) && !ofOthers.test(key), `${name} sets ${key}, which no program reads`),
    ),
  ),
];

/** Images of others have programs of their own. */
function ourContainers(manifests: readonly Manifest[]) {
  return containersOf(manifests).filter(({ container: { image } }) => image.includes("pretrain-"));
}

function containerFaults(manifests: readonly Manifest[], { name }: Workload, container: Container): readonly string[] {
  const told = { ...plainEnvironment(manifests, container), ...placeholders(container) };
  const reading = readingOf(container.args?.[0], told);
  if (reading === undefined) return [`${name} runs ${container.args?.[0]}, which is no program of ours`];
  const set = (container.env ?? []).map((variable) => variable.name);
  return [
    ...reading.faults.map((fault) => `${name}: ${fault}`),
    ...set.flatMap((variable) =>
      when(
        !reading.names.has(variable) && !ofOthers.test(variable),
        `${name} sets ${variable}, which it does not read`,
      ),
    ),
    ...set.flatMap((variable, place) => when(set.indexOf(variable) !== place, `${name} sets ${variable} twice`)),
    ...storeFaults(told).map((fault) => `${name}: ${fault}`),
  ];
}

/** What comes from elsewhere when the pod starts, as if it were there. */
function placeholders({ env = [] }: Container): Readonly<Record<string, string>> {
  return Object.fromEntries(env.flatMap(({ name, valueFrom }) => (valueFrom === undefined ? [] : [[name, "given"]])));
}

function storeFaults(told: Readonly<Record<string, string>>): readonly string[] {
  try {
    openBlobs(told["PRETRAIN_BLOBS"] ?? "", { environment: told });
    return [];
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error;
    return error.violations.map(({ description }) => description);
  }
}
