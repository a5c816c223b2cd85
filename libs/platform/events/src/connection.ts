/** What a broker is made of inside this package; outside it is opaque. */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Log } from "@pretrain/observability";
import type { Broker } from "./broker.ts";

export interface Connection {
  readonly nats: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly log: Log;
}

const connections = new WeakMap<Broker, Connection>();

export function withConnection(broker: Broker, connection: Connection): Broker {
  connections.set(broker, connection);
  return broker;
}

export function connectionOf(broker: Broker): Connection {
  const connection = connections.get(broker);
  if (connection === undefined) throw new Error("this broker was not made by connectBroker");
  return connection;
}
