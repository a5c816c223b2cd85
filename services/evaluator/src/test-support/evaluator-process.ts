/** The evaluator as the process that it is, on free ports, ended with the test. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { EvaluatorService } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";
import type { TestScope } from "@pretrain/testing";

export interface RunningEvaluator {
  readonly pid: number;
  readonly client: PretrainClient<typeof EvaluatorService>;
  readonly httpAddress: string;
  /** Lines of its log and of its workers' so far. */
  readonly log: readonly LogLine[];
  /** Asks it to end; resolves with its exit code when it has. */
  stop(): Promise<number | null>;
}

export interface LogLine {
  readonly level: string;
  readonly service: string;
  readonly msg: string;
  readonly pid: number;
  readonly [field: string]: unknown;
}

export async function startEvaluator(
  t: TestScope,
  environment: Readonly<Record<string, string>>,
): Promise<RunningEvaluator> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../main.ts", import.meta.url))], {
    env: {
      PATH: process.env["PATH"],
      PRETRAIN_GRPC_ADDRESS: "127.0.0.1:0",
      PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
      PRETRAIN_EVALUATION_NICENESS: "0", // other tests may keep the processors busy for long
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const stop = () => {
    child.kill("SIGTERM");
    return exited;
  };
  t.after(async () => void (await stop()));
  const log: LogLine[] = [];
  const serving = Promise.withResolvers<LogLine>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line: LogLine = JSON.parse(text);
    log.push(line);
    if (line.msg === "serving") serving.resolve(line);
    if (line.level === "fatal") serving.reject(new Error(text));
  });
  const { grpc, http } = await serving.promise;
  const client = connectClient(EvaluatorService, String(grpc));
  t.after(() => client[Symbol.dispose]());
  return { pid: child.pid ?? 0, client, httpAddress: String(http), log, stop };
}
