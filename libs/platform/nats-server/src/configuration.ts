/**
 * The configuration that a server is started with, here and on a cluster. Whoever writes a file of it writes all of it: the file is
 * never edited, and what is asked of the server is asked in one place.
 */
import { isIPv6 } from "node:net";

/** What a client may do, by the identity that its certificate names. Subjects as NATS writes them: `*` one token, `>` the rest. */
export interface BrokerUser {
  /** Common name, and the whole subject, of its certificate. */
  readonly name: string;
  readonly publish: readonly string[];
  /** Taken away from what `publish` grants. */
  readonly neverPublish: readonly string[];
  readonly subscribe: readonly string[];
  /** Whether it may answer a question where the question says. */
  readonly answers: boolean;
}

export interface Access {
  /** Folder of the server's tls.crt and tls.key, and of the ca.crt that must have signed its clients' certificates. */
  readonly certificates: string;
  readonly users: readonly BrokerUser[];
}

export interface ClusterMember {
  /** Of this server, different from that of every other one. Absent: it is told on the command line. */
  readonly serverName?: string;
  /** Where it listens for the others. */
  readonly port: number;
  /** `host:port` of every member; it may itself be among them. */
  readonly members: readonly string[];
}

export interface Configuration {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly monitoringPort: number;
  readonly storeDirectory: string;
  /** What the streams may take of the disk. Three quarters of what is free there, if not given. */
  readonly storeBytes?: number | undefined;
  /** Absent: it asks nobody who he is. */
  readonly access?: Access | undefined;
  readonly cluster?: ClusterMember | undefined;
}

/** Of a server's own certificate, by which it is known to the other servers: none of the clients' may be taken for it. */
const serverIdentity = "nats";

/** The longest message of a stream. */
const payloadBytes = 2 ** 20;
const controlLineBytes = 4096;
/** Every process has one; the pool has a hundred at most. */
const connections = 1024;
/** Each watcher of an experiment has one. */
const subscriptionsPerConnection = 4096;
/** For the state of consumers that live as long as their reader. */
const memoryBytes = 2 ** 26;
/** An answer that came later than this would find nobody waiting. */
const answerWithin = "30s";

/** `sync_interval` has a line of its own: in one line with others, without a comma, the server takes it for part of a value. */
export function natsConfiguration(configuration: Configuration): string {
  const { host, port, monitoringPort, storeDirectory, storeBytes, access, cluster } = configuration;
  return lines([
    "# Written by pretrain, as a whole: a change made here is lost.",
    ...(cluster?.serverName === undefined ? [] : [`server_name: ${quoted(cluster.serverName)}`]),
    `host: ${quoted(host)}`,
    `port: ${portOrFree(port)}`,
    `http: ${quoted(address(host, portOrFree(monitoringPort)))}`,
    `max_payload: ${payloadBytes}`,
    `max_control_line: ${controlLineBytes}`,
    `max_connections: ${connections}`,
    `max_subscriptions: ${subscriptionsPerConnection}`,
    "# What a server that is asked to leave gives its clients to find another one, in all, and before the first must go.",
    'lame_duck_duration: "30s"',
    'lame_duck_grace_period: "5s"',
    ...block("jetstream", [
      `store_dir: ${quoted(storeDirectory)}`,
      "sync_interval: always",
      `max_memory_store: ${memoryBytes}`,
      ...(storeBytes === undefined ? [] : [`max_file_store: ${storeBytes}`]),
    ]),
    ...(access === undefined ? [] : [...tls(access.certificates), ...accounts(access.users)]),
    ...(cluster === undefined ? [] : members(host, cluster, access)),
  ]);
}

/**
 * A certificate's whole subject is the user. The server would rather take one of the certificate's host names: users without `CN=` would
 * make whoever may be called `trainer` the trainer.
 */
function tls(certificates: string): string[] {
  return block("tls", [
    `cert_file: ${quoted(`${certificates}/tls.crt`)}`,
    `key_file: ${quoted(`${certificates}/tls.key`)}`,
    `ca_file: ${quoted(`${certificates}/ca.crt`)}`,
    "verify_and_map: true",
    'min_version: "1.3"',
    "timeout: 5",
  ]);
}

function accounts(users: readonly BrokerUser[]): string[] {
  return [
    ...block("accounts", [
      ...block("PRETRAIN", ["jetstream: enabled", "users: [", ...users.flatMap(user).map(indented), "]"]),
      "# Of the server itself; nobody is in it.",
      ...block("SYSTEM", ["users: []"]),
    ]),
    "system_account: SYSTEM",
  ];
}

function user({ name, publish, neverPublish, subscribe, answers }: BrokerUser): string[] {
  const publishing = publish.length === 0 ? ['deny: ">"'] : [...list("allow", publish), ...list("deny", neverPublish)];
  const subscribing = subscribe.length === 0 ? ['deny: ">"'] : list("allow", subscribe);
  return [
    "{",
    indented(`user: ${quoted(distinguished(name))}`),
    ...block("permissions", [
      ...block("publish", publishing),
      ...block("subscribe", subscribing),
      ...(answers ? [`allow_responses: { max: 1, expires: ${quoted(answerWithin)} }`] : []),
    ]).map(indented),
    "}",
  ];
}

/** A member is known by its certificate too, or the port of the members would be a way around all permissions. */
function members(host: string, { port, members: all }: ClusterMember, access: Access | undefined): string[] {
  const scheme = access === undefined ? "nats" : "tls";
  const known =
    access === undefined
      ? []
      : [...tls(access.certificates), ...block("authorization", [`user: ${quoted(distinguished(serverIdentity))}`])];
  return block("cluster", [
    "name: pretrain",
    `listen: ${quoted(address(host, port))}`,
    ...list(
      "routes",
      all.map((member) => `${scheme}://${member}`),
    ),
    ...known,
  ]);
}

function distinguished(name: string): string {
  return `CN=${name}`;
}

function block(name: string, content: readonly string[]): string[] {
  return [`${name} {`, ...content.map(indented), "}"];
}

function list(name: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  return [`${name}: [`, ...values.map((value) => indented(quoted(value))), "]"];
}

function indented(line: string): string {
  return `  ${line}`;
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}

function address(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** The server's own word for "a free port" is -1. */
function portOrFree(port: number): number {
  return port === 0 ? -1 : port;
}

/** In quotes the server's format knows the same escapes as JSON for what a path can hold, and no `$` variables. */
function quoted(value: string): string {
  return JSON.stringify(value);
}
