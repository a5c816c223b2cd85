/** The environment, read once. */
import {
  address,
  blobStoreUrl,
  count,
  hostNames,
  path,
  readConfig,
  serviceVariables,
  variable,
} from "@pretrain/config";

/** @throws InvalidArgument naming every variable that is missing or cannot be read */
export function reportConfig(environment: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...serviceVariables,
      grpc: variable("PRETRAIN_GRPC_ADDRESS", address, "127.0.0.1:7404"),
      http: variable("PRETRAIN_HTTP_ADDRESS", address, "127.0.0.1:7400"),
      /** Host names that people open the page by, beside `localhost` and IP addresses. */
      publicNames: variable("PRETRAIN_PUBLIC_NAMES", hostNames, ""),
      /** Whom the page asks to start, pause, fork and explain, and to score and generate text. */
      trainer: variable("PRETRAIN_TRAINER", address, "127.0.0.1:7402"),
      evaluator: variable("PRETRAIN_EVALUATOR", address, "127.0.0.1:7403"),
      blobs: variable("PRETRAIN_BLOBS", blobStoreUrl),
      /** Folder of the ledger. */
      state: variable("PRETRAIN_STATE", path),
      /** Between two copies of the ledger in the blob store; 0: none is made. */
      ledgerCopySeconds: variable("PRETRAIN_LEDGER_COPY_SECONDS", count(0, 31_536_000), "86400"),
    },
    environment,
  );
}
