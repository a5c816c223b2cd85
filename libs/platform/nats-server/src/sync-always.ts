/**
 * By default JetStream acknowledges a message up to two minutes before it is synced to the disk. That setting is one word in a
 * file, so the running server is asked what it made of it.
 */
import { FailedPrecondition, Unavailable } from "@pretrain/errors";

/** @throws FailedPrecondition unless the server at `monitoringUrl` says that it syncs always. */
export async function expectSyncAlways(monitoringUrl: string): Promise<void> {
  const response = await fetch(`${monitoringUrl}/varz`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Unavailable("NATS_SERVER_FAILED", `${monitoringUrl}/varz answered ${response.status}`);
  if (saysSyncAlways(await response.json())) return;
  const message = `the nats-server monitored at ${monitoringUrl} acknowledges before it syncs; set jetstream.sync_interval: always`;
  throw new FailedPrecondition("NATS_SYNC_INTERVAL", message, { monitoringUrl });
}

function saysSyncAlways(varz: unknown): boolean {
  const jetstream = property(varz, "jetstream");
  return property(property(jetstream, "config"), "sync_always") === true;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
