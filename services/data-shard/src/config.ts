/** The environment, read once. */
import { address, blobStoreUrl, folders, logLevel, natsUrl, readConfig, variable } from "@pretrain/config";

/** @throws InvalidArgument naming every variable that is missing or cannot be read */
export function dataShardConfig(environment: NodeJS.ProcessEnv) {
  return readConfig(
    {
      nats: variable("PRETRAIN_NATS_URL", natsUrl, "nats://127.0.0.1:4222"),
      grpc: variable("PRETRAIN_GRPC_ADDRESS", address, "127.0.0.1:7401"),
      http: variable("PRETRAIN_HTTP_ADDRESS", address, "127.0.0.1:7411"),
      blobs: variable("PRETRAIN_BLOBS", blobStoreUrl),
      dataRoots: variable("PRETRAIN_DATA_ROOTS", folders),
      logLevel: variable("PRETRAIN_LOG_LEVEL", logLevel, "info"),
    },
    environment,
  );
}
