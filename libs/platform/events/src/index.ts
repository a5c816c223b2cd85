/** The broker: every publisher and every consumer of this project goes through here. */
export { type Question, questions } from "./ask.ts";
export { type Broker, type BrokerOptions, connectBroker } from "./broker.ts";
export type { ConsumeOptions, Consumption } from "./consume.ts";
export { type Delivered, type EventKind, type EventMessage, events, type KindName } from "./event-kinds.ts";
export type { ExpiringRecords } from "./expiring-records.ts";
export type { FollowOptions } from "./follow.ts";
export { type BrokerPermissions, brokerPermissions, type Identity } from "./permissions.ts";
export type { RecordIndex } from "./record-index.ts";
export type { Recorded, Records } from "./records.ts";
export { standingBroker } from "./standing-broker.ts";
export { type BucketName, ensureTopology, type QueueName, type StreamName } from "./topology.ts";
export { type Piece, type TakeOptions, trainingWork, type WorkKind, type Workload, work } from "./work.ts";
export { tellWorkload } from "./workload-metrics.ts";
