/** The overlay `local` on this machine, for a person: all its pods run until Ctrl-C. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grpcurlBinary } from "@pretrain/setup/grpcurl";
import { terminationSignal } from "@pretrain/worker-process";
import { buildImage, buildOneProgram } from "../build-image.ts";
import { openContainers } from "../containers.ts";
import { programsOfOthers } from "../programs-of-others.ts";
import { roles } from "../roles.ts";
import { inOrderOfEnd, startLocalPods } from "./local-pods.ts";

export async function runLocal(say: (line: string) => void) {
  const containers = await openContainers();
  for (const role of [roles.api, roles["cpu-worker"]]) {
    say(`building ${role.name} …`);
    await buildImage(containers, role, "0.1.0", "unknown");
  }
  for (const program of await programsOfOthers()) await buildOneProgram(containers, program);
  const folder = await mkdtemp(join(tmpdir(), "pretrain-local-"));
  try {
    await using pods = await startLocalPods(containers, folder);
    for (const [pod, ms] of pods.startedAfterMs) say(`${pod}: up after ${(ms / 1000).toFixed(1)} s`);
    const { key, certificates } = pods.secrets;
    const known = `-cacert ${join(certificates, "ca.crt")} -H 'authorization: Bearer ${key}'`;
    say(`texts for recipes, which name them by their path in it: ${pods.texts}`);
    say(`ip netns exec pretrain-local ${grpcurlBinary} ${known} localhost:7402 list`);
    const signal = await terminationSignal();
    for (const { name } of inOrderOfEnd(pods.pods)) say(`${name}: ${JSON.stringify(await pods.stop(name))}`);
    return { signal };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
