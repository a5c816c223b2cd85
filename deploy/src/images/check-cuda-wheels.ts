/** Whether the pinned CUDA wheels are what TensorFlow asks for, by the registry's metadata alone: nothing of 3 GB is fetched. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { FailedPrecondition } from "@pretrain/errors";
import type { Wheel } from "@pretrain/wheels";
import { cudaWheels } from "./cuda-wheels.ts";
import { wheelsOf } from "./engine-files.ts";

interface Report {
  readonly install: readonly {
    readonly download_info: { readonly archive_info: { readonly hashes: { readonly sha256: string } } };
    readonly metadata: { readonly name: string; readonly version: string; readonly requires_dist?: readonly string[] };
  }[];
}

/** @throws FailedPrecondition naming what TensorFlow asks for otherwise, and a wheel whose hash the registry has otherwise */
export async function checkCudaWheels(): Promise<{ readonly asked: number; readonly hashed: number }> {
  const [tensorflow] = wheelsOf("gpu");
  if (tensorflow === undefined) throw new TypeError("an engine for a GPU begins with TensorFlow's own wheel");
  const report = await metadataOf([tensorflow]);
  const asked = askedForCuda(report.install[0]?.metadata.requires_dist ?? []);
  const pinned = cudaWheels.map((wheel) => wheel.asked).sort();
  if (asked.join() !== pinned.join()) {
    const message = `${tensorflow.requirement} asks for ${asked.join(", ")}; pinned by: ${pinned.join(", ")}`;
    throw new FailedPrecondition("CUDA_WHEELS", message);
  }
  const found = await metadataOf(cudaWheels);
  const hashes = new Set(found.install.map((each) => each.download_info.archive_info.hashes.sha256));
  const other = cudaWheels.filter(({ sha256 }) => !hashes.has(sha256)).map(({ requirement }) => requirement);
  if (other.length === 0) return { asked: asked.length, hashed: hashes.size };
  throw new FailedPrecondition("CUDA_WHEELS", `the registry has another hash for ${other.join(", ")}; do not use them`);
}

/** Lines such as `nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"`. */
export function askedForCuda(requires: readonly string[]): readonly string[] {
  return requires.flatMap((line) => /^(.*?)\s*;.*extra == "and-cuda"/.exec(line)?.[1] ?? []).sort();
}

/** What pip would install, where the wheels' own dependencies do not count: those are the ranges that are compared. */
async function metadataOf(wheels: readonly Wheel[]): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "pretrain-metadata-"));
  try {
    const report = join(folder, "report.json");
    const platforms = [...new Set(wheels.map(({ platform }) => platform))].flatMap((platform) => [
      "--platform",
      platform,
    ]);
    const python = ["--python-version", "312", "--implementation", "cp", "--only-binary=:all:", ...platforms];
    const only = ["--dry-run", "--no-deps", "--ignore-installed", "--no-cache-dir", "--quiet", "--target", folder];
    const words = ["-m", "pip", "install", ...only, ...python, "--report", report];
    await promisify(execFile)("python3", [...words, ...wheels.map(({ requirement }) => requirement)], {
      maxBuffer: 16e6,
    });
    return JSON.parse(await readFile(report, "utf8"));
  } catch (cause) {
    const message = `pip could not read the metadata of ${wheels.map(({ requirement }) => requirement).join(", ")}: ${String(cause)}`;
    throw new FailedPrecondition("PIP_FAILED", message.slice(0, 2000), {}, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
