/** What every process of the system is told alike: where the broker is, how it is known to others, and who may call it. */
import { variable } from "./read-config.ts";
import { address, logLevel, natsUrl, optional, path } from "./value-kinds.ts";

export const serviceVariables = {
  nats: variable("PRETRAIN_NATS_URL", natsUrl, "nats://127.0.0.1:4222"),
  /** Folder of this process's certificate (`@pretrain/tls`). Without one it speaks to this machine alone. */
  tls: variable("PRETRAIN_TLS", optional(path), ""),
  /** File that says who may do what (`@pretrain/access`). Without one everybody may who reaches the service. */
  access: variable("PRETRAIN_ACCESS", optional(path), ""),
  /** `host:port` where grpc.health.v1 alone is answered, without TLS: for whoever starts and stops the service. */
  health: variable("PRETRAIN_HEALTH_ADDRESS", optional(address), ""),
  logLevel: variable("PRETRAIN_LOG_LEVEL", logLevel, "info"),
};
