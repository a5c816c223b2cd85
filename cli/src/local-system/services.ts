/** The four services: the module that each starts from, and the variables that it is told its surroundings by. */
import { join } from "node:path";
import type { ServiceAddresses } from "./addresses.ts";
import type { LocalIdentities } from "./local-identities.ts";

/** In the order they are started in: who is asked comes before who asks. */
export const serviceNames = ["data-shard", "trainer", "evaluator", "report"] as const;

export type ServiceName = (typeof serviceNames)[number];

/** The file that a service is run by. */
export function moduleOf(name: ServiceName): URL {
  return new URL(import.meta.resolve(`@pretrain/${name}`));
}

export interface Surroundings {
  readonly stateDirectory: string;
  readonly dataRoots: readonly string[];
  readonly addresses: Readonly<Record<ServiceName, ServiceAddresses>>;
  readonly natsUrl: string;
  /** The folder of `folderOfBlobs` by default. */
  readonly blobsUrl?: string;
  /** Who is who; nobody is asked, if not given. */
  readonly identities?: LocalIdentities | undefined;
}

/** Where blobs are kept if nobody says otherwise. */
export function folderOfBlobs(stateDirectory: string): string {
  return `file://${join(stateDirectory, "blobs")}`;
}

export function environmentOf(name: ServiceName, surroundings: Surroundings): Record<string, string> {
  const {
    stateDirectory,
    dataRoots,
    addresses,
    natsUrl,
    identities,
    blobsUrl = folderOfBlobs(stateDirectory),
  } = surroundings;
  return {
    PRETRAIN_NATS_URL: natsUrl,
    PRETRAIN_GRPC_ADDRESS: addresses[name].grpc,
    PRETRAIN_HTTP_ADDRESS: addresses[name].http,
    PRETRAIN_BLOBS: blobsUrl,
    PRETRAIN_STATE: join(stateDirectory, name),
    PRETRAIN_DATA_ROOTS: dataRoots.join(":"),
    PRETRAIN_DATA_SHARD: addresses["data-shard"].grpc,
    PRETRAIN_TRAINER: addresses.trainer.grpc,
    PRETRAIN_EVALUATOR: addresses.evaluator.grpc,
    ...(identities !== undefined && {
      PRETRAIN_ACCESS: identities.accessFile,
      PRETRAIN_TLS: identities.certificates[name],
      ...(name === "trainer" && { PRETRAIN_WORKER_TLS: identities.certificates["trainer-worker"] }),
      ...(name === "evaluator" && { PRETRAIN_WORKER_TLS: identities.certificates["evaluator-worker"] }),
    }),
  };
}
