/** What this machine has: processor, memory, disk, clock, GPU. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemReason } from "@pretrain/errors";
import { byteSize } from "../terminal/figures.ts";
import { type Finding, failed, ok, warning } from "./finding.ts";

/** @param stateDirectory where `pretrain up` keeps everything; it need not be there yet */
export async function machineFindings(stateDirectory: string): Promise<Finding[]> {
  return [
    processorFinding(),
    memoryFinding(totalmem(), freemem()),
    await folderFinding("state folder", stateDirectory),
    await folderFinding("temporary folder", tmpdir()),
    await diskFinding(stateDirectory),
    clockFinding(Date.now()),
    await gpuFinding(),
  ];
}

function processorFinding(): Finding {
  return ok("processor", `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} threads`);
}

const gibibyte = 2 ** 30;

/** @param totalBytes of the machine @param freeBytes that nobody uses now */
export function memoryFinding(totalBytes: number, freeBytes: number): Finding {
  const found = `${byteSize(totalBytes)}, ${byteSize(freeBytes)} free`;
  if (totalBytes < 3 * gibibyte)
    return failed(
      "memory",
      found,
      "use a machine with 4 GiB or more: four services, the broker and the rehearsal need 3",
    );
  if (freeBytes < gibibyte)
    return warning("memory", found, "end other programs, or train a smaller model: less than 1 GiB is free");
  return ok("memory", found);
}

/** A file is written there and removed again. */
async function folderFinding(what: string, folder: string): Promise<Finding> {
  const probe = join(folder, `.pretrain-doctor-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, "");
    await rm(probe);
    return ok(what, `${folder} can be written`);
  } catch (error) {
    return failed(what, `${folder} ${systemReason(error)}`, "make it writable for this user, or make room");
  }
}

async function diskFinding(folder: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return diskSpaceFinding(bavail * bsize, folder);
  } catch (error) {
    return failed("disk", `${folder} ${systemReason(error)}`, "make the folder readable for this user");
  }
}

/** @param freeBytes that this user may still write */
export function diskSpaceFinding(freeBytes: number, folder: string): Finding {
  const found = `${byteSize(freeBytes)} free for ${folder}`;
  if (freeBytes < gibibyte)
    return failed("disk", found, "make room: the set-up takes 2 GB, a checkpoint three times the model");
  if (freeBytes < 5 * gibibyte) return warning("disk", found, "make room before a long run: its checkpoints fill this");
  return ok("disk", found);
}

/** When this was written: no clock is right that stands before it. */
const writtenMs = Date.UTC(2026, 10, 1);

/** @param nowMs what the clock says, in milliseconds since 1970 */
export function clockFinding(nowMs: number): Finding {
  const found = new Date(nowMs).toISOString();
  if (nowMs >= writtenMs) return ok("clock", found);
  return failed("clock", `${found} is long past`, "set the clock: records are dated by it, and leases run out by it");
}

const patienceMs = 10_000;

async function gpuFinding(): Promise<Finding> {
  const wanted = process.env["PRETRAIN_TENSORFLOW"] === "gpu";
  try {
    const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
    const { stdout } = await promisify(execFile)("nvidia-smi", query, { timeout: patienceMs });
    const found = stdout.trim().split("\n").join("; ");
    if (wanted) return ok("gpu", found);
    return warning(
      "gpu",
      `${found}; the processor computes`,
      "PRETRAIN_TENSORFLOW=gpu npm start takes the GPU's library",
    );
  } catch (error) {
    if (existsSync("/dev/nvidia0"))
      return failed("gpu", `there is one, but nvidia-smi ${systemReason(error)}`, "install the driver of NVIDIA again");
    if (wanted)
      return failed("gpu", "none, and PRETRAIN_TENSORFLOW asks for one", "unset it, or install NVIDIA's driver");
    return ok("gpu", "none; the processor computes");
  }
}
