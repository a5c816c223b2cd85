/**
 * The peers' Python: a virtual environment in `bench/.venv` with exactly the packages of `peers/requirements.txt`, verified by their
 * hashes. Made by the first bench that runs; never by `npm start` or `npm test`. It needs 6 GB and some minutes.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { FailedPrecondition } from "@pretrain/errors";
import type { Program } from "./contender.ts";

const folder = new URL("../.venv/", import.meta.url);
const requirements = new URL("../peers/requirements.txt", import.meta.url);
const python = new URL("bin/python", folder).pathname;
const digestFile = new URL("requirements.sha256", folder); // written last: what lacks it is not complete

/** @throws FailedPrecondition with pip's last words */
export function ensurePeers(): void {
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(digestFile) && readFileSync(digestFile, "utf8") === digest) return;
  process.stderr.write(`set-up: the peers' Python packages, in ${folder.pathname} …\n`);
  rmSync(folder, { recursive: true, force: true });
  execute("python3", ["-m", "venv", folder.pathname]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];
  const exactly = ["--no-deps", "--require-hashes", "--only-binary=:all:", "-r", requirements.pathname];
  execute(python, [...pip, ...exactly]);
  writeFileSync(digestFile, digest);
}

function execute(file: string, parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(file, parameters, { encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split("\n").slice(-5).join("\n");
  throw new FailedPrecondition("PEERS_NOT_INSTALLED", `${file} ${parameters.slice(0, 3).join(" ")}: ${why}`);
}

/** A peer as a process. What compilers and libraries write lands in the environment's own folder. */
export function pythonProgram(file: string): Program {
  return {
    file: python,
    parameters: [file],
    environment: {
      PATH: process.env["PATH"], // for g++, which torch.compile calls
      HOME: folder.pathname,
      PYTHONDONTWRITEBYTECODE: "1",
      TORCHINDUCTOR_CACHE_DIR: new URL("inductor-cache", folder).pathname,
      TORCHINDUCTOR_COMPILE_THREADS: "1", // else a pool of processes stays, and its memory is in nobody's account
      HF_HUB_OFFLINE: "1",
      TF_CPP_MIN_LOG_LEVEL: "2",
      TF_ENABLE_ONEDNN_OPTS: "1",
    },
  };
}
