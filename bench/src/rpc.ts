/**
 * Calls of the real trainer beside a server of grpc-js that answers with the same bytes and does nothing: what checking, tracing, counting
 * and reading the record cost. Both are called by ghz, in turns.
 */
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { toBinary } from "@bufbuild/protobuf";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import { ExperimentSchema } from "@pretrain/proto";
import { median } from "./statistics.ts";
import { startTrainer } from "./trainer-process.ts";

export interface CallFigures {
  readonly per_second: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly errors: number;
}

export interface RpcFigures {
  readonly get: CallFigures;
  readonly bare_get: CallFigures;
  readonly start: CallFigures;
  readonly bare_start: CallFigures;
  readonly ratio_get: number;
  readonly ratio_start: number;
}

interface Load {
  readonly method: string;
  readonly address: string;
  /** JSON; `{{.RequestNumber}}` is the number of the call. */
  readonly data: string;
  readonly calls: number;
}

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../..");
const service = "pretrain.train.v1.TrainerService";
const [atOnce, connections] = [32, 4];
const warmUpCalls = 2000;

export function readRpcOptions(parameters: readonly string[]): { readonly rounds: number } {
  const { values } = parseArgs({ args: [...parameters], options: { rounds: { type: "string", default: "3" } } });
  const rounds = Number(values.rounds);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return { rounds };
  throw new RangeError(`--rounds is ${values.rounds}; it must be a whole number from 1 to 100`);
}

/** @throws Error without ghz, naming the command that makes it */
export async function rpc(rounds: number, tell: (line: string) => void): Promise<RpcFigures> {
  await ensureNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "pretrain-rpc-"));
  await using running = new AsyncDisposableStack();
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  const contracts = join(folder, "contracts.binpb");
  await run("buf", ["build", "--as-file-descriptor-set", "-o", contracts], { cwd: repository });
  const broker = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const trainer = running.use(await startTrainer(broker.url, folder));
  const experiment = await trainer.client.startExperiment({
    experimentId: "first",
    recipe: { data: { path: "book.txt" } },
  });
  const answer = Buffer.from(toBinary(ExperimentSchema, experiment)).toString("base64");
  const bareGet = running.use(await startBare("GetExperiment", answer));
  const bareStart = running.use(await startBare("StartExperiment", answer));
  const found: Record<"get" | "bare_get" | "start" | "bare_start", CallFigures[]> = {
    get: [],
    bare_get: [],
    start: [],
    bare_start: [],
  };
  const loadOf = (method: string, address: string, data: unknown, calls: number): Load => ({
    method,
    address,
    data: JSON.stringify(data),
    calls,
  });
  const get = { name: experiment.name };
  for (const address of [trainer.address, bareGet.address])
    await called(loadOf("GetExperiment", address, get, warmUpCalls), contracts);
  for (let round = 0; round < rounds; round += 1) {
    const start = { experiment_id: `e-${round}-{{.RequestNumber}}`, recipe: { data: { path: "book.txt" } } };
    found.get.push(await called(loadOf("GetExperiment", trainer.address, get, 10_000), contracts));
    found.bare_get.push(await called(loadOf("GetExperiment", bareGet.address, get, 10_000), contracts));
    found.start.push(await called(loadOf("StartExperiment", trainer.address, start, 1000), contracts));
    found.bare_start.push(await called(loadOf("StartExperiment", bareStart.address, start, 5000), contracts));
    tell(
      `round ${round + 1}: ${JSON.stringify(Object.values(found).map((each) => each.at(-1)?.per_second.toFixed(0)))}`,
    );
  }
  const [medianGet, bareGetFigures, medianStart, bareStartFigures] = [
    found.get,
    found.bare_get,
    found.start,
    found.bare_start,
  ].map(together) as [CallFigures, CallFigures, CallFigures, CallFigures];
  return {
    get: medianGet,
    bare_get: bareGetFigures,
    start: medianStart,
    bare_start: bareStartFigures,
    ratio_get: medianGet.per_second / bareGetFigures.per_second,
    ratio_start: medianStart.per_second / bareStartFigures.per_second,
  };
}

async function startBare(method: string, answer: string): Promise<{ readonly address: string } & Disposable> {
  const child = fork(join(import.meta.dirname, "bare-grpc-child.ts"), [`/${service}/${method}`, answer]);
  const [address] = (await once(child, "message")) as [string];
  return { address, [Symbol.dispose]: () => void child.kill() };
}

async function called({ method, address, data, calls }: Load, contracts: string): Promise<CallFigures> {
  const words = ["--insecure", "--protoset", contracts, "--call", `${service}/${method}`, "-d", data];
  const load = ["-n", `${calls}`, "-c", `${atOnce}`, "--connections", `${connections}`, "-O", "json", address];
  const { stdout } = await run(ghz(), [...words, ...load], { maxBuffer: 2 ** 28 });
  const { rps, latencyDistribution, statusCodeDistribution } = JSON.parse(stdout) as {
    rps: number;
    latencyDistribution: { percentage: number; latency: number }[];
    statusCodeDistribution: Record<string, number>;
  };
  const msAt = (percentage: number) =>
    (latencyDistribution.find((each) => each.percentage === percentage)?.latency ?? Number.NaN) / 1e6;
  return { per_second: rps, p50_ms: msAt(50), p99_ms: msAt(99), errors: calls - (statusCodeDistribution["OK"] ?? 0) };
}

function ghz(): string {
  const [built] = globSync("deploy/.native/ghz-*/ghz", { cwd: repository });
  if (built === undefined) throw new Error("ghz is not built here; run `node deploy/src/tools/main.ts ghz`");
  return join(repository, built);
}

/** Medians of the rounds; errors of all. */
function together(rounds: readonly CallFigures[]): CallFigures {
  return {
    per_second: median(rounds.map((each) => each.per_second)),
    p50_ms: median(rounds.map((each) => each.p50_ms)),
    p99_ms: median(rounds.map((each) => each.p99_ms)),
    errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
  };
}

export function rpcTable(figures: RpcFigures): string {
  const row = (name: string, { per_second, p50_ms, p99_ms, errors }: CallFigures) =>
    `${name.padEnd(28)} ${per_second.toFixed(0).padStart(6)} a second, p50 ${p50_ms.toFixed(1)} ms, p99 ${p99_ms.toFixed(1)} ms, ${errors} errors`;
  return [
    `${atOnce} calls at once over ${connections} connections`,
    row("GetExperiment", figures.get),
    row("  bare grpc-js", figures.bare_get),
    row("StartExperiment", figures.start),
    row("  bare grpc-js", figures.bare_start),
    `ratio of rates: ${figures.ratio_get.toFixed(2)} and ${figures.ratio_start.toFixed(2)}`,
  ].join("\n");
}
