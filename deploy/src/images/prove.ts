/**
 * The proofs that take minutes: images built twice are the same; what the manifests say of a pod's security is what the kernel says of its
 * first process; every probe is answered, an experiment goes through, nothing is written beside the volumes, and SIGTERM ends everything.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { FailedPrecondition } from "@pretrain/errors";
import { type BuiltImage, buildImage, buildOneProgram } from "./build-image.ts";
import { checkout } from "./checkout.ts";
import { type Containers, openContainers } from "./containers.ts";
import { type LiveFacts, liveFacts } from "./local/live-facts.ts";
import { inOrderOfEnd, type LocalPods, startLocalPods } from "./local/local-pods.ts";
import type { Pod } from "./local/pod.ts";
import { bytesOf } from "./local/podman-arguments.ts";
import { type ExperimentOutcome, runTinyExperiment } from "./local/tiny-experiment.ts";
import { programsOfOthers } from "./programs-of-others.ts";
import { type Role, roles } from "./roles.ts";

export interface Proof {
  readonly images: readonly {
    readonly name: string;
    readonly id: string;
    readonly sizeBytes: number;
    readonly files: number;
  }[];
  readonly pods: readonly PodProof[];
  readonly experiment: ExperimentOutcome;
}

export interface PodProof {
  readonly pod: string;
  readonly startedAfterMs: number;
  readonly stoppedAfterMs: number;
  readonly exitCode: number;
  readonly zombies: number;
}

/** @throws FailedPrecondition naming what was expected and what was found, at the first proof that fails */
export async function prove(say: (line: string) => void): Promise<Proof> {
  const containers = await openContainers();
  const images: Proof["images"][number][] = [];
  for (const role of [roles.api, roles["cpu-worker"]]) {
    say(`${role.name}: built twice, and the same …`);
    images.push(await provenImage(containers, role));
  }
  for (const program of await programsOfOthers()) await buildOneProgram(containers, program);
  const folder = await mkdtemp(join(tmpdir(), "pretrain-proof-"));
  try {
    say("every pod of the overlay local …");
    await using pods = await startLocalPods(containers, folder);
    for (const pod of pods.pods) expectSecurity(pod, await pods.facts(pod.name));
    await expectFreeTwin(containers, images[0]?.name ?? "");
    say("an experiment through all of them …");
    const experiment = await runTinyExperiment(pods);
    expect("the experiment", "STATE_COMPLETED", experiment.state);
    say("SIGTERM …");
    return { images, pods: await provenEnds(pods), experiment };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function provenImage(containers: Containers, role: Role) {
  const revision = (await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: checkout })).stdout.trim();
  const first = await buildImage(containers, role, "0.1.0", revision);
  const second = await buildImage(containers, role, "0.1.0", revision);
  expect(`${role.name}: SHA-256 of the second root`, first.root.sha256, second.root.sha256);
  expect(`${role.name}: id of the second image`, first.id, second.id);
  await expectNoShell(containers, first);
  return { name: first.name, id: first.id, sizeBytes: first.root.sizeBytes, files: first.root.files };
}

async function expectNoShell(containers: Containers, { name }: BuiltImage): Promise<void> {
  for (const shell of ["/bin/sh", "/bin/bash", "/usr/bin/env"]) {
    const ran = await containers.podman("run", "--rm", "--network", "none", "--entrypoint", shell, name).then(
      () => "runs",
      () => "is not there",
    );
    expect(`${shell} in ${name}`, "is not there", ran);
  }
}

function expectSecurity(pod: Pod, facts: LiveFacts): void {
  const [container] = pod.spec.containers;
  if (container === undefined) throw new TypeError(`${pod.name} has no container`);
  const { runAsUser, runAsGroup, seccompProfile } = pod.spec.securityContext;
  const { securityContext, resources } = container;
  const asked = {
    userId: runAsUser,
    groupId: runAsGroup,
    capabilities: securityContext.capabilities.drop.includes("ALL") ? 0n : -1n,
    noNewPrivileges: !securityContext.allowPrivilegeEscalation,
    seccomp: seccompProfile.type === "RuntimeDefault",
    rootReadOnly: securityContext.readOnlyRootFilesystem,
    memoryLimitBytes: bytesOf(resources.limits.memory),
  };
  for (const [name, value] of Object.entries(asked)) {
    expect(`${pod.name}: ${name}`, String(value), String(facts[name as keyof typeof asked]));
  }
}

/** The same image without a manifest has none of it: what was seen of the pods came from their manifests. */
async function expectFreeTwin(containers: Containers, image: string): Promise<void> {
  const waits = ["-e", "setTimeout(() => {}, 600_000)"];
  await containers.podman("run", "--detach", "--name", "twin", "--network", "none", "--user", "0", image, ...waits);
  const facts = liveFacts(Number(await containers.podman("inspect", "--format", "{{.State.Pid}}", "twin")));
  expect("the twin's user", "0", String(facts.userId));
  expect("the twin's capabilities are none", "false", String(facts.capabilities === 0n));
  expect("the twin may gain privileges", "false", String(facts.noNewPrivileges));
  expect("the twin's root file system is read-only", "false", String(facts.rootReadOnly));
  await containers.podman("rm", "--force", "--time", "0", "twin");
}

async function provenEnds(pods: LocalPods): Promise<readonly PodProof[]> {
  const result: PodProof[] = [];
  for (const { name, spec } of inOrderOfEnd(pods.pods)) {
    const { zombies } = await pods.facts(name);
    expect(`${name}: what it wrote beside its volumes`, "", (await pods.written(name)).filter(isWritten).join(" "));
    const { exitCode, afterMs } = await pods.stop(name);
    if (afterMs > spec.terminationGracePeriodSeconds * 1000) {
      throw new FailedPrecondition(
        "PROOF",
        `${name}: was killed after ${afterMs} ms; its last words: ${await pods.log(name)}`,
      );
    }
    const startedAfterMs = pods.startedAfterMs.get(name) ?? Number.NaN;
    result.push({ pod: name, startedAfterMs, stoppedAfterMs: afterMs, exitCode, zombies });
  }
  return result;
}

/** Of podman's list: the places of its own mounts, made before the process began, are no writing. */
function isWritten(line: string): boolean {
  return !/^[AC] \/(etc(\/(group|passwd|pretrain.*))?|run.*|data|texts|tmp|dev|proc|sys)$/.test(line);
}

function expect(what: string, expected: string, found: string): void {
  if (found === expected) return;
  throw new FailedPrecondition("PROOF", `${what}: "${expected}" is expected, "${found}" was found`);
}
