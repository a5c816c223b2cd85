/** grpc.health.v1: whether the server, or one of its services, takes calls. All do, until the server drains. */
import { EventEmitter, on } from "node:events";
import { NotFound } from "@pretrain/errors";
import { health } from "@pretrain/proto";
import { type ServedService, service } from "./served-service.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;

export interface Health extends ServedService {
  /** From now on everything is NOT_SERVING, and whoever watches is told. */
  readonly drain: () => void;
}

/** @param names full names of the services; the empty name is the server as a whole. */
export function createHealth(names: readonly string[]): Health {
  const known = new Set(["", ...names, health.Health.typeName]);
  const changes = new EventEmitter().setMaxListeners(0);
  let status: health.HealthCheckResponse_ServingStatus = SERVING;
  const statusOf = (name: string) => (known.has(name) ? status : SERVICE_UNKNOWN);
  const served = service(health.Health, {
    check({ service: name }) {
      if (known.has(name)) return { status };
      throw new NotFound("SERVICE_UNKNOWN", `no service is called "${name}" here`, { service: name });
    },
    list: () => ({ statuses: Object.fromEntries([...known].map((name) => [name, { status }])) }),
    async *watch({ service: name }, { signal }) {
      const changed = on(changes, "change", { signal });
      yield { status: statusOf(name) };
      for await (const _ of changed) yield { status: statusOf(name) };
    },
  });
  return {
    ...served,
    drain() {
      status = NOT_SERVING;
      changes.emit("change");
    },
  };
}
