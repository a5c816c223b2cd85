/**
 * One SeaweedFS as a child process: master, volumes, filer and S3 gateway in one, as small as it goes. It keeps conditional
 * writes, checksums and multipart uploads as S3 has them, which is what the store's tests are about.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Unavailable } from "@pretrain/errors";
import { freePorts } from "@pretrain/free-ports";
import { weedBinary } from "./install.ts";

export interface S3Server extends AsyncDisposable {
  readonly pid: number;
  /** `http://127.0.0.1:8333` */
  readonly endpoint: string;
  /** A bucket that is there, and empty at first. */
  readonly bucket: string;
  /** What a process needs in its environment to reach it: endpoint, region and credentials. */
  readonly environment: Readonly<Record<string, string>>;
}

const bucket = "pretrain-test";
const readyLimitMs = 120_000;

/** @param folder for its files; made if it is missing. @throws Unavailable with its last words when it does not come up */
export async function startS3Server(folder: string): Promise<S3Server> {
  await mkdir(folder, { recursive: true });
  const credentials = { accessKey: "test-key", secretKey: "test-secret" };
  const identities = join(folder, "s3.json");
  const identity = { name: "test", credentials: [credentials], actions: ["Admin"] };
  await writeFile(identities, JSON.stringify({ identities: [identity] }));
  const numbers = await freePorts(portNames.length);
  const ports = Object.fromEntries(portNames.map((name, index) => [name, numbers[index]])) as Ports;
  // The kernel ends it with this process, however that ends.
  const command = ["--pdeathsig", "TERM", weedBinary, ...parameters(folder, identities, ports)];
  const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
  const lastWords = lastWordsOf(child);
  try {
    await ready(child, ports);
  } catch (cause) {
    await end(child);
    throw new Unavailable("S3_SERVER_FAILED", `weed is not ready; its last words: ${lastWords()}`, {}, { cause });
  }
  const endpoint = `http://127.0.0.1:${ports.s3}`;
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: credentials.accessKey,
    AWS_SECRET_ACCESS_KEY: credentials.secretKey,
  };
  const stop = () => end(child);
  return { pid: child.pid ?? 0, endpoint, bucket, environment, [Symbol.asyncDispose]: stop };
}

const portNames = ["master", "masterGrpc", "volume", "volumeGrpc", "filer", "filerGrpc", "s3", "s3Grpc"] as const;
type Ports = Readonly<Record<(typeof portNames)[number], number>>;

/** Everything on loopback, nothing said to anybody outside, and no port that is not needed. */
function parameters(folder: string, identities: string, ports: Ports): string[] {
  return [
    "-logtostderr",
    "server",
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    `-dir=${folder}`,
    "-master.telemetry=false",
    `-master.port=${ports.master}`,
    `-master.port.grpc=${ports.masterGrpc}`,
    "-master.volumeSizeLimitMB=128",
    `-volume.port=${ports.volume}`,
    `-volume.port.grpc=${ports.volumeGrpc}`,
    "-volume.max=0",
    `-filer.port=${ports.filer}`,
    `-filer.port.grpc=${ports.filerGrpc}`,
    `-filer.localSocket=${join(folder, "filer.sock")}`,
    "-s3",
    `-s3.port=${ports.s3}`,
    `-s3.port.grpc=${ports.s3Grpc}`,
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    `-s3.config=${identities}`,
  ];
}

/** Makes the bucket, and waits until bytes can be stored: the parts of the server find each other one by one. */
async function ready(child: ChildProcess, { filer, s3 }: Ports): Promise<void> {
  const steps = [
    () => fetch(`http://127.0.0.1:${filer}/ready/file`, { method: "PUT", body: "bytes" }),
    () => fetch(`http://127.0.0.1:${filer}/buckets/${bucket}/`, { method: "POST" }),
  ];
  for (const step of steps) await succeeds(child, async () => (await step()).ok);
  await succeeds(child, async () => (await fetch(`http://127.0.0.1:${s3}/`)).status < 500);
}

async function succeeds(child: ChildProcess, step: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + readyLimitMs;
  while (!(await step().catch(() => false))) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error("it ended while it started");
    if (performance.now() > deadline) throw new Error(`it does not answer after ${readyLimitMs / 1000} s`);
    await pause(50);
  }
}

/** Reads to the end, or the server would stop at a full pipe. */
function lastWordsOf(child: ChildProcess): () => string {
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-1_000)));
  child.once("error", (error) => (words += error.message));
  return () => words;
}

/** It has nothing to keep: the folder goes with the test. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
