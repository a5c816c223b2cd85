/**
 * Who may do what at the broker, asked of a real server: every subject that this project knows, and some that it does not, by every
 * identity. What is expected is written down here a second time, in the terms of what each process is for.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { events, type KindName, subjectsOf } from "./event-kinds.ts";
import { brokerPermissions, type Identity } from "./permissions.ts";
import { closedPlace, plainClient } from "./test-support/closed-broker.ts";
import { type BucketName, type QueueName, streamNames } from "./topology.ts";

type Who = readonly Identity[];
type Row = readonly [subject: string, who: Who];

const nobody: Who = [];
const processes: Who = ["data-shard", "evaluator", "evaluator-worker", "report", "trainer", "trainer-worker"];
const everybody: Who = [...processes, "viewer"];

const publishers: Readonly<Record<KindName, Who>> = {
  step: ["trainer-worker"],
  memory: ["trainer-worker"],
  profile: ["trainer-worker"],
  log: ["trainer-worker"],
  state: ["trainer", "trainer-worker"],
  attempt: ["trainer-worker"],
  phase: ["trainer-worker"],
  dataset: ["trainer-worker"],
  checkpoint: ["trainer-worker"],
  removal: ["trainer"],
  evaluation: ["evaluator", "evaluator-worker"],
  annotation: ["report"],
  report: ["report"],
};

const writers: Readonly<Record<BucketName, Who>> = {
  pretrain_experiments: ["trainer", "trainer-worker"],
  pretrain_datasets: ["data-shard"],
  pretrain_evaluations: ["evaluator", "evaluator-worker"],
  pretrain_leases: ["trainer-worker"],
};
const readersOfOne: Readonly<Record<BucketName, Who>> = { ...writers, pretrain_leases: ["trainer", "trainer-worker"] };
const readersOfAll: Readonly<Record<BucketName, Who>> = { ...writers, pretrain_leases: nobody };

const queuesOf: Readonly<Record<QueueName, { readonly fills: Who; readonly takes: Who }>> = {
  "train-high": { fills: ["trainer", "trainer-worker"], takes: ["trainer-worker"] },
  train: { fills: ["trainer", "trainer-worker"], takes: ["trainer-worker"] },
  "train-low": { fills: ["trainer", "trainer-worker"], takes: ["trainer-worker"] },
  evaluate: { fills: ["evaluator", "evaluator-worker"], takes: ["evaluator-worker"] },
};

const api = "$JS.API";
const ack = "1.1.1.1700000000000000000.0";

function row(subject: string, who: Who): Row {
  return [subject, who];
}

/** Subject, and who may publish to it. */
const published: readonly Row[] = [
  ...entries(publishers).map(([kind, who]) => row(subjectsOf(kind, "experiments/a"), who)),
  ...entries(writers).map(([bucket, who]) => row(`$KV.${bucket}.key`, who)),
  ...entries(readersOfOne).map(([bucket, who]) => row(`${api}.STREAM.MSG.GET.KV_${bucket}`, who)),
  ...entries(readersOfAll).flatMap(([bucket, who]) => [
    row(`${api}.DIRECT.GET.KV_${bucket}`, who),
    ...ephemeral(`KV_${bucket}`, `$KV.${bucket}.>`, who),
  ]),
  ...entries(queuesOf).flatMap(([queue, { fills, takes }]) => [
    row(`pretrain.work.${queue}`, fills),
    row(`${api}.CONSUMER.MSG.NEXT.PRETRAIN_WORK.${queue}`, takes),
    row(`$JS.ACK.PRETRAIN_WORK.${queue}.${ack}`, takes),
    row(`${api}.CONSUMER.CREATE.PRETRAIN_WORK.${queue}.pretrain.work.${queue}`, ["trainer"]),
    row(`${api}.CONSUMER.DELETE.PRETRAIN_WORK.${queue}`, nobody),
    row(`${api}.CONSUMER.INFO.PRETRAIN_WORK.${queue}`, processes),
  ]),
  // A consumer that somebody else made on the queue would take its work.
  row(`${api}.CONSUMER.CREATE.PRETRAIN_WORK.mine.pretrain.work.train`, nobody),
  ...streamNames.flatMap((stream) => [
    ...["CREATE", "UPDATE"].map((verb) => row(`${api}.STREAM.${verb}.${stream}`, ["trainer"])),
    row(`${api}.STREAM.INFO.${stream}`, processes),
    ...["DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE", "LEADER.STEPDOWN", "PEER.REMOVE"].map((verb) =>
      row(`${api}.STREAM.${verb}.${stream}`, nobody),
    ),
    ...["PAUSE", "RESET", "UNPIN", "LEADER.STEPDOWN"].map((verb) =>
      row(`${api}.CONSUMER.${verb}.${stream}.any`, nobody),
    ),
    row(`${api}.CONSUMER.DURABLE.CREATE.${stream}.any`, nobody),
  ]),
  ...["PRETRAIN_METRICS", "PRETRAIN_EVENTS", "PRETRAIN_WORK"].map((stream) =>
    row(`${api}.STREAM.MSG.GET.${stream}`, nobody),
  ),
  row(`${api}.STREAM.CREATE.ANOTHER`, nobody),
  row(`${api}.INFO`, processes),
  row(`${api}.STREAM.NAMES`, processes),
  row(`${api}.STREAM.LIST`, nobody),
  row(`${api}.META.LEADER.STEPDOWN`, nobody),
  ...durable("evaluator", undefined, ["evaluator"]),
  row(`${api}.CONSUMER.DELETE.PRETRAIN_EVENTS.evaluator`, nobody),
  row(`${api}.CONSUMER.CREATE.PRETRAIN_EVENTS.evaluator.pretrain.events.a.state`, nobody),
  ...durable("trainer-retention", "pretrain.events.*.evaluation", ["trainer"]),
  row(`${api}.CONSUMER.DELETE.PRETRAIN_EVENTS.trainer-retention`, ["trainer"]),
  // The report's consumers are made anew at each start. The trainer looks for what an attempt said, in consumers of a moment.
  ...["PRETRAIN_METRICS", "PRETRAIN_EVENTS"].map((stream) =>
    row(`${api}.CONSUMER.CREATE.${stream}.report-1`, ["report"]),
  ),
  ...uses("PRETRAIN_METRICS", "report-1", ["report"]),
  ...uses("PRETRAIN_EVENTS", "report-1", ["report", "trainer"]),
  row(`${api}.CONSUMER.CREATE.PRETRAIN_EVENTS.any.pretrain.events.a.attempt`, ["trainer"]),
  row("$JS.ACK.PRETRAIN_METRICS.report-1." + ack, ["report"]),
  row("$JS.ACK.PRETRAIN_EVENTS.report-1." + ack, ["report"]),
  row(`${api}.CONSUMER.CREATE.PRETRAIN_EVENTS.any.pretrain.events.a.state`, nobody),
  row(`${api}.CONSUMER.CREATE.PRETRAIN_EVENTS`, nobody),
  row("pretrain.ledger.missing", ["trainer-worker"]),
  ...everybody.map((identity) => row(`_INBOX_${identity}.1`, nobody)),
  row("_INBOX.1", nobody),
  row("pretrain.metrics.a.surprise", nobody),
  row("pretrain.events.a.surprise", nobody),
  row("pretrain.work.surprise", nobody),
  row("$SYS.REQ.SERVER.PING", nobody),
  row("anything", nobody),
];

/** Subject, and who may hear it. */
const heard: readonly Row[] = [
  ...everybody.map((identity) => row(`_INBOX_${identity}.>`, identity === "viewer" ? nobody : [identity])),
  row("pretrain.metrics.>", ["viewer"]),
  row("pretrain.events.>", ["viewer"]),
  row("pretrain.events.a.state", ["viewer"]),
  row("pretrain.ledger.missing", ["report"]),
  ...[
    "pretrain.work.>",
    "pretrain.>",
    "$KV.>",
    "$JS.>",
    "$JS.ACK.>",
    "_INBOX.>",
    "_INBOX_trainer*.>",
    "$SYS.>",
    ">",
    "*",
  ].map((subject) => row(subject, nobody)),
];

function ephemeral(stream: string, filter: string, who: Who): Row[] {
  return [
    row(`${api}.CONSUMER.CREATE.${stream}.any.${filter}`, who),
    ...uses(stream, "any", who),
    row(`$JS.FC.${stream}.any.1`, who),
  ];
}

function durable(name: string, filter: string | undefined, who: Who): Row[] {
  const made = filter === undefined ? name : `${name}.${filter}`;
  return [
    row(`${api}.CONSUMER.CREATE.PRETRAIN_EVENTS.${made}`, who),
    row(`${api}.CONSUMER.INFO.PRETRAIN_EVENTS.${name}`, who),
    row(`${api}.CONSUMER.MSG.NEXT.PRETRAIN_EVENTS.${name}`, who),
    row(`$JS.ACK.PRETRAIN_EVENTS.${name}.${ack}`, who),
  ];
}

function uses(stream: string, consumer: string, who: Who): Row[] {
  return ["INFO", "DELETE", "MSG.NEXT"].map((verb) => row(`${api}.CONSUMER.${verb}.${stream}.${consumer}`, who));
}

function entries<Key extends string, Value>(record: Readonly<Record<Key, Value>>): [Key, Value][] {
  return Object.entries(record) as [Key, Value][];
}

type Cell = readonly [operation: "publish" | "subscription", subject: string];

/** What the server refuses of all that, said by one client in one go. */
async function refusedOf(nats: NatsConnection, cells: readonly Cell[]): Promise<ReadonlySet<string>> {
  const refused = new Set<string>();
  const listening = (async () => {
    for await (const status of nats.status()) {
      if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue;
      refused.add(`${status.error.operation} ${status.error.subject}`);
    }
  })();
  for (const [operation, subject] of cells) {
    if (operation === "publish") nats.publish(subject, "");
    else nats.subscribe(subject, { callback: () => {} });
  }
  await nats.flush(); // the refusals are before the answer to this
  await nats.close();
  await listening;
  return refused;
}

test("given a server with the table's permissions, each identity does what it is for at every subject, and nothing else", async (t) => {
  const place = await closedPlace(t);
  const server = await place.serve();
  const rows = [
    ...published.map(([subject, who]) => ({ cell: ["publish", subject] as Cell, who })),
    ...heard.map(([subject, who]) => ({ cell: ["subscription", subject] as Cell, who })),
  ];
  const cells = rows.map(({ cell }) => cell);
  assert.equal(new Set(cells.map((cell) => cell.join(" "))).size, cells.length, "a subject is listed twice");
  const mayDo = new Map<string, Identity[]>(cells.map((cell) => [cell.join(" "), []]));
  for (const identity of everybody) {
    const refused = await refusedOf(await plainClient(place, server.url, identity), cells);
    for (const [cell, who] of mayDo) if (!refused.has(cell)) who.push(identity);
  }
  const expected = new Map(rows.map(({ cell, who }) => [cell.join(" "), [...who].sort()]));
  assert.deepEqual(mayDo, expected);
  t.diagnostic(`${cells.length * everybody.length} cells: ${cells.length} subjects, ${everybody.length} identities`);
});

test("given the table of permissions, no line of it is without a subject that was tried", () => {
  const untried = brokerPermissions.flatMap(({ name, publish, neverPublish, subscribe }) => [
    ...publish.filter(
      (pattern) => !published.some(([subject, who]) => who.includes(name) && matches(pattern, subject)),
    ),
    ...neverPublish.filter(
      (pattern) => !published.some(([subject, who]) => !who.includes(name) && matches(pattern, subject)),
    ),
    ...subscribe.filter((pattern) => !heard.some(([subject, who]) => who.includes(name) && pattern === subject)),
  ]);
  assert.deepEqual(untried, []);
  assert.deepEqual(brokerPermissions.map(({ name }) => name).sort(), [...everybody].sort());
  assert.deepEqual(Object.keys(publishers).sort(), Object.keys(events).sort());
});

/** Whether a pattern of NATS covers a subject. */
function matches(pattern: string, subject: string): boolean {
  const [patterns, tokens] = [pattern.split("."), subject.split(".")];
  const isOpen = patterns.at(-1) === ">";
  const fixed = isOpen ? patterns.slice(0, -1) : patterns;
  if (isOpen ? tokens.length < patterns.length : tokens.length !== patterns.length) return false;
  return fixed.every((token, index) => token === "*" || token === tokens[index]);
}
