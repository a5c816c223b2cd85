/** The broker on one machine: the real nats-server, pinned, on loopback, with every acknowledged message on the disk. */
export { type Access, type BrokerUser, type Configuration, natsConfiguration } from "./configuration.ts";
export { ensureNatsServer, natsServerBinary } from "./install.ts";
export { type NatsServer, type NatsServerExit, type NatsServerOptions, startNatsServer } from "./nats-server.ts";
