/** The report service as the process that it is. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ReportService } from "@pretrain/proto";
import { connectClient, type PretrainClient } from "@pretrain/rpc";

export interface ReportProcess extends AsyncDisposable {
  readonly client: PretrainClient<typeof ReportService>;
  /** `host:port` of the page and of `/metrics`. */
  readonly http: string;
}

/** @param folder its state and its records lie in it */
export async function startReport(nats: string, folder: string): Promise<ReportProcess> {
  const program = fileURLToPath(new URL("../../services/report/src/main.ts", import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: {
      ...process.env,
      PRETRAIN_NATS_URL: nats,
      PRETRAIN_GRPC_ADDRESS: "127.0.0.1:0",
      PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
      PRETRAIN_BLOBS: pathToFileURL(`${folder}/blobs`).href,
      PRETRAIN_STATE: `${folder}/state`,
      PRETRAIN_LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const serving = new Promise<{ readonly grpc: string; readonly http: string }>((resolve, reject) => {
    void exited.then(() => reject(new Error("the report service ended before it served")));
    createInterface({ input: child.stdout }).on("line", (text) => {
      const { msg, grpc, http } = Object(JSON.parse(text));
      if (msg === "serving") resolve({ grpc: String(grpc), http: String(http) });
    });
  });
  const { grpc, http } = await serving;
  const client = connectClient(ReportService, grpc);
  const stop = async () => {
    client[Symbol.dispose]();
    child.kill("SIGTERM");
    await exited;
  };
  return { client, http, [Symbol.asyncDispose]: stop };
}
