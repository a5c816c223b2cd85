/** The environment, read once. */
import { address, blobStoreUrl, folders, readConfig, serviceVariables, variable } from "@pretrain/config";

/** @throws InvalidArgument naming every variable that is missing or cannot be read */
export function dataShardConfig(environment: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...serviceVariables,
      grpc: variable("PRETRAIN_GRPC_ADDRESS", address, "127.0.0.1:7401"),
      http: variable("PRETRAIN_HTTP_ADDRESS", address, "127.0.0.1:7411"),
      blobs: variable("PRETRAIN_BLOBS", blobStoreUrl),
      dataRoots: variable("PRETRAIN_DATA_ROOTS", folders),
    },
    environment,
  );
}
