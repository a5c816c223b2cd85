/**
 * Whether the GPU that a worker was promised can be had, before it takes any work. A GPU whose last process is dying, or one that has
 * fallen off its bus, is handed out by a cluster all the same; work that is taken on it would die with it.
 */
import { execFile } from "node:child_process";
import { hasErrorCode, messageOf } from "@pretrain/errors";

export interface GpuDemand {
  /** Of its memory, how much must be free, 0 to 100. */
  readonly freePercent: number;
  /** Where the driver's own program is looked for, and which of the GPUs is meant. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One that does not answer is as good as gone: the driver waits for it. */
const answerMs = 30_000;
const answerLimitBytes = 64 * 1024;

/** @returns why it cannot be had; undefined: it can, or the driver's program is not there to tell, and whoever computes finds out */
export async function gpuFault({ freePercent, environment }: GpuDemand): Promise<string | undefined> {
  const [chosen = ""] = (environment["CUDA_VISIBLE_DEVICES"] ?? "").split(",");
  const query = ["--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits"];
  try {
    const answer = await answerOf([...query, ...(chosen === "" ? [] : [`--id=${chosen}`])], environment);
    return faultOf(answer, freePercent);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    return `nvidia-smi does not tell of a GPU: ${messageOf(error).slice(0, 500)}`;
  }
}

function answerOf(parameters: readonly string[], environment: GpuDemand["environment"]): Promise<string> {
  const options = { env: environment, timeout: answerMs, killSignal: "SIGKILL", maxBuffer: answerLimitBytes } as const;
  return new Promise((resolve, reject) => {
    execFile("nvidia-smi", [...parameters], options, (error, output) => (error ? reject(error) : resolve(output)));
  });
}

/** @param answer `79123, 81559` in MiB, a line for each GPU; TensorFlow computes on the first */
function faultOf(answer: string, freePercent: number): string | undefined {
  const [, free, total] = /^\s*(\d+)\s*,\s*(\d+)\s*$/m.exec(answer.split("\n", 1)[0] ?? "") ?? [];
  if (free === undefined || total === undefined) {
    return freePercent === 0
      ? undefined
      : `nvidia-smi does not tell its memory: ${JSON.stringify(answer.slice(0, 200))}`;
  }
  if (100 * Number(free) >= freePercent * Number(total)) return undefined;
  return `${free} of the GPU's ${total} MiB are free, ${freePercent} % are needed: another process has not let go of it`;
}
