/**
 * Who may call what: every RPC of every service, by every kind of caller. The rows say it once more than the contracts do, so that a slip in
 * one of them is seen; an RPC without a row fails.
 */
import assert from "node:assert/strict";
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from "node:http2";
import { test } from "node:test";
import { type DescMethod, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { createLog } from "@pretrain/observability";
import { health, reflectionV1, reflectionV1Alpha } from "@pretrain/proto";
import { contracts, type Person, processNames, startGuardedServer } from "./test-support/guarded-server.ts";
import { rawCall } from "./test-support/raw-call.ts";

interface Row {
  /** The least role of a person; `nobody` needs none. */
  readonly least: "nobody" | "viewer" | "researcher";
  readonly request?: JsonValue;
  /** Whether the request is about something that Ada's grant covers. */
  readonly ofAda?: true;
  /** Whether one who may read all experiments, and them alone, may read what it is about. */
  readonly ofAnExperiment?: true;
  readonly processes?: readonly (typeof processNames)[number][];
}

const experiment = "experiments/ada-1";
const checkpoint = `${experiment}/checkpoints/5`;
const report = `${experiment}/report`;
const dataset = "datasets/ada-text";
const recipe = { data: { path: "a.jsonl" } };
const read = { least: "viewer", ofAda: true, ofAnExperiment: true } as const;
const readDataset = { least: "viewer", ofAda: true } as const;
const change = { least: "researcher", ofAda: true, ofAnExperiment: true } as const;

const rows: Readonly<Record<string, Row>> = {
  "DataShardService/PackDataset": {
    least: "researcher",
    request: { settings: { path: "a.jsonl", format: "jsonl", maxSequenceLength: 64, cut: "keep_eos" } },
    processes: ["trainer-worker"],
  },
  "DataShardService/GetDataset": {
    ...readDataset,
    request: { name: dataset },
    processes: ["trainer", "trainer-worker", "evaluator", "evaluator-worker"],
  },
  "DataShardService/ListDatasets": { least: "viewer" },
  "DataShardService/GetDatasetReport": { ...readDataset, request: { name: dataset }, processes: ["trainer-worker"] },
  "DataShardService/StreamBatches": {
    ...readDataset,
    request: { dataset, split: "SPLIT_TRAIN", batchRows: 1, shuffle: "none", epochs: 1 },
    processes: ["trainer", "trainer-worker", "evaluator-worker"],
  },
  "DataShardService/ReadSequences": { ...readDataset, request: { dataset, split: "SPLIT_TRAIN" } },
  "DataShardService/AnalyzeDataset": { ...readDataset, request: { name: dataset }, processes: ["evaluator-worker"] },
  "TrainerService/StartExperiment": { ...change, request: { experimentId: "ada-1", recipe } },
  "TrainerService/GetExperiment": { ...read, request: { name: experiment } },
  "TrainerService/ListExperiments": { least: "viewer", ofAnExperiment: true },
  "TrainerService/WatchExperiment": { ...read, request: { name: experiment } },
  "TrainerService/PauseExperiment": { ...change, request: { name: experiment } },
  "TrainerService/ResumeExperiment": { ...change, request: { name: experiment } },
  "TrainerService/CancelExperiment": { ...change, request: { name: experiment } },
  "TrainerService/ForkExperiment": { ...change, request: { checkpoint, experimentId: "ada-2" } },
  "TrainerService/ImportCheckpoint": { ...change, request: { source: "imports/ada/llama", experimentId: "ada-2" } },
  "TrainerService/ListCheckpoints": { ...read, request: { parent: experiment } },
  "TrainerService/ExplainStep": { ...read, request: { experiment, microStep: "1" } },
  "EvaluatorService/EvaluateCheckpoint": { ...change, request: { checkpoint } },
  "EvaluatorService/GetEvaluation": { least: "viewer", ofAda: true, request: { name: "evaluations/ada-1-5" } },
  "EvaluatorService/ListEvaluations": { least: "viewer" },
  "EvaluatorService/Generate": { ...read, request: { checkpoint } },
  "EvaluatorService/ScoreText": { ...read, request: { checkpoint, text: "a" } },
  "EvaluatorService/ScoreLogits": { least: "viewer", request: { vocabularySize: 1, rows: [{ tokens: [0] }] } },
  "EvaluatorService/SelfTest": { ...read, request: { checkpoint } },
  "EvaluatorService/CompareEvaluations": {
    ...read,
    request: { baseline: experiment, candidate: checkpoint },
    processes: ["report"],
  },
  "EvaluatorService/ExportCheckpoint": { ...change, request: { checkpoint, format: "FORMAT_GGUF" } },
  "EvaluatorService/ReadExportedFile": {
    least: "viewer",
    ofAda: true,
    request: { name: "exports/ada-1", file: "config.json" },
  },
  "ReportService/GetReport": { ...read, request: { name: report } },
  "ReportService/RenderReport": { ...read, request: { name: report, format: "FORMAT_HTML" } },
  "ReportService/QueryMetrics": { ...read, request: { experiment, metrics: ["train/loss"] } },
  "ReportService/WatchMetrics": { ...read, request: { experiment } },
  "ReportService/ReadSteps": { ...read, request: { experiment } },
  "ReportService/AnnotateReport": {
    ...change,
    request: { experiment, annotation: { author: "Ada", conclusion: { text: "It learns." } } },
  },
  "ReportService/VerifyReport": { ...read, request: { name: report } },
  "ReportService/ExportBundle": { ...read, request: { name: report } },
  "ReportService/CompareExperiments": { ...read, request: { experiments: [experiment, "experiments/ada-2"] } },
  "ReportService/RenderComparison": {
    ...read,
    request: { experiments: [experiment, "experiments/ada-2"], format: "FORMAT_HTML" },
  },
  "Health/Check": { least: "nobody" },
  "Health/List": { least: "nobody" },
  "Health/Watch": { least: "nobody" },
  "ServerReflection/ServerReflectionInfo": { least: "viewer", request: { listServices: "" } },
};

const services = [...contracts, health.Health, reflectionV1.ServerReflection, reflectionV1Alpha.ServerReflection];
const methods = services.flatMap((service) => service.methods);
const rowNameOf = ({ parent, name }: DescMethod) => `${parent.typeName.split(".").at(-1)}/${name}`;
const pathOf = ({ parent, name }: DescMethod) => `/${parent.typeName}/${name}`;

function requestOf(method: DescMethod): Uint8Array {
  const row = rows[rowNameOf(method)];
  assert.ok(row, `${rowNameOf(method)} has no row: say who may call it`);
  return toBinary(method.input, fromJson(method.input, row.request ?? {}));
}

interface Caller {
  readonly who: string;
  readonly certificate?: Pick<SecureClientSessionOptions, "cert" | "key">;
  readonly authorization?: string;
  /** The status that a row lets this caller expect. */
  readonly expected: (row: Row) => string;
}

const unknown = ({ least }: Row) => (least === "nobody" ? "Ok" : "Unauthenticated");
const allowed = (isAllowed: boolean) => (isAllowed ? "Ok" : "PermissionDenied");
const asPerson: Readonly<Record<Person, (row: Row) => string>> = {
  viewer: ({ least }) => allowed(least !== "researcher"),
  researcher: () => "Ok",
  operator: () => "Ok",
  ada: ({ least, ofAda }) => allowed(least === "nobody" || ofAda === true),
  bob: ({ least, ofAnExperiment }) => allowed(least === "nobody" || (least === "viewer" && ofAnExperiment === true)),
  guest: ({ least }) => allowed(least === "nobody"),
};

test("every RPC answers each kind of caller as its row says", async (t) => {
  const log = createLog("test", "fatal");
  const noLimits = { perSecond: 1e6, burst: 1e6, atOnce: 1e6 };
  const limits = { person: noLimits, process: noLimits, refused: noLimits, holdMs: 1, unaryMs: 60_000 };
  const { server, certificates, tokens, keyOf } = await startGuardedServer(t, log, limits);
  const { trainer, report: reportProcess } = certificates.ofProcess;
  assert.ok(trainer && reportProcess);
  const callers: readonly Caller[] = [
    { who: "nobody", expected: unknown },
    { who: "a wrong key", authorization: `${keyOf("operator").slice(0, -4)}AAAA`, expected: unknown },
    { who: "an expired token", authorization: tokens.expired, expected: unknown },
    { who: "a token that another has signed", authorization: tokens.foreign, expected: unknown },
    { who: "a token that nobody has signed", authorization: tokens.unsigned, expected: unknown },
    { who: "a token whose holder is a viewer", authorization: tokens.valid, expected: asPerson.viewer },
    { who: "a certificate of another authority", certificate: certificates.foreign, expected: unknown },
    { who: "a process with a wrong token", certificate: trainer, authorization: "Bearer x", expected: unknown },
    {
      who: "a process for Ada",
      certificate: reportProcess,
      authorization: keyOf("ada"),
      expected: asPerson.ada,
    },
    ...Object.entries(asPerson).map(([person, expected]) => ({
      who: person,
      authorization: keyOf(person as Person),
      expected,
    })),
    ...processNames.map((name) => ({
      who: `the process ${name}`,
      certificate: certificates.ofProcess[name] ?? {},
      expected: ({ least, processes }: Row) => allowed(least === "nobody" || processes?.includes(name) === true),
    })),
  ];
  const open = (certificate: Caller["certificate"] = {}): ClientHttp2Session => {
    const options = { ca: certificates.authority, maxSessionMemory: 1000, ...certificate }; // what is sent and refused stays a while
    const session = connect(`https://${server.address}`, options);
    t.after(() => session.destroy());
    return session;
  };

  for (const { who, certificate, authorization, expected } of callers) {
    await t.test(who, async () => {
      const session = open(certificate);
      const found = methods.map(async (method) => {
        const status = await rawCall(session, { path: pathOf(method), message: requestOf(method), authorization });
        return [pathOf(method), status] as const;
      });
      const wanted = methods.map((method) => [pathOf(method), expected(rows[rowNameOf(method)] as Row)]);
      assert.deepEqual(Object.fromEntries(await Promise.all(found)), Object.fromEntries(wanted));
      session.close();
    });
  }

  await t.test("every row is an RPC", () => {
    assert.deepEqual(
      Object.keys(rows).filter((row) => !methods.some((method) => rowNameOf(method) === row)),
      [],
    );
  });

  await t.test(
    "a message of 5 MiB and one that is no message are refused for whoever may call, unread for who may not; the service answers after",
    async () => {
      const tooLarge = new Uint8Array(5 * 2 ** 20);
      const noMessage = Buffer.from("ffffffffffffffffffffff", "hex");
      for (const method of methods) {
        const session = open(); // each refusal in the middle of a message is a stream that is taken back, and those are limited
        const path = pathOf(method);
        const isPublic = rows[rowNameOf(method)]?.least === "nobody";
        const as = (authorization: string | undefined, message: Uint8Array) =>
          rawCall(session, { path, message, authorization });
        assert.equal(await as(keyOf("operator"), tooLarge), "ResourceExhausted", path);
        assert.equal(await as(keyOf("operator"), noMessage), "InvalidArgument", path);
        assert.equal(await as(undefined, noMessage), isPublic ? "InvalidArgument" : "Unauthenticated", path);
        if (!isPublic) assert.equal(await as(undefined, tooLarge), "Unauthenticated", path);
        assert.equal(await as(keyOf("operator"), requestOf(method)), "Ok", path);
        session.close();
      }
    },
  );
});
