/** The trainer's API process over a broker, as a service runs it, with a worker that never gets to work. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { TrainerService } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";

/** Nobody listens there: the one experiment that a worker takes waits for its data, and all others for the worker. */
const noDataShard = "127.0.0.1:9";

export interface TrainerProcess extends AsyncDisposable {
  readonly client: PretrainClient<typeof TrainerService>;
  /** `host:port` */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startTrainer(nats: string, folder: string): Promise<TrainerProcess> {
  const program = fileURLToPath(new URL("../../services/trainer/src/main.ts", import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: {
      ...process.env,
      PRETRAIN_NATS_URL: nats,
      PRETRAIN_GRPC_ADDRESS: "127.0.0.1:0",
      PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
      PRETRAIN_BLOBS: pathToFileURL(join(folder, "blobs")).href,
      PRETRAIN_STATE: join(folder, "state"),
      PRETRAIN_DATA_SHARD: noDataShard,
      PRETRAIN_LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const address = await addressOf(child);
  const client = connectClient(TrainerService, address);
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    client[Symbol.dispose]();
  };
  return { client, address, pid: child.pid ?? 0, stop, [Symbol.asyncDispose]: stop };
}

/** Its log says where it serves; everything else of it is read and thrown away, so that it never waits for its reader. */
function addressOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (stdout === null) return reject(new Error("the trainer has no output"));
    createInterface({ input: stdout }).on("line", (text) => {
      const line: unknown = JSON.parse(text);
      const { msg, grpc } = Object(line);
      if (msg === "serving") resolve(String(grpc));
    });
  });
}
