/** The broker and the store of the manifests, as images made of the programs that this checkout pins. */
import { ensureNatsServer, natsServerBinary } from "@pretrain/nats-server";
import { ensureS3Server, weedBinary } from "@pretrain/s3-server";
import type { OneProgram } from "./build-image.ts";

/** @throws what fetching them throws */
export async function programsOfOthers(): Promise<readonly OneProgram[]> {
  await Promise.all([ensureNatsServer(), ensureS3Server()]);
  return [
    { image: "nats:2.15.1-scratch", binary: natsServerBinary, path: "/nats-server", isEntry: true },
    { image: "chrislusf/seaweedfs:4.48", binary: weedBinary, path: "/usr/bin/weed", isEntry: false },
  ];
}
