/** A folder of programs by key, of which those that were used last are kept. Several processes may share it. */
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { hasErrorCode, PretrainError } from "@pretrain/errors";
import type { Program } from "./program.ts";
import { loadProgram, storeProgram, temporarySuffix } from "./program-file.ts";

export interface ProgramCache {
  /** The program, or undefined if there is none under that key, or one that is damaged: it is traced again, and then whole. */
  read(key: string): Program | undefined;
  /** @throws the file system's error */
  write(key: string, program: Program): void;
}

const suffix = ".program";
const abandonedMs = 3_600_000;

/** @param folder is made when the first program is stored */
export function openProgramCache(folder: string, { limit = 32 }: { readonly limit?: number } = {}): ProgramCache {
  const pathOf = (key: string) => join(folder, `${key}${suffix}`);
  return {
    read(key) {
      try {
        const program = loadProgram(pathOf(key));
        utimesSync(pathOf(key), new Date(), new Date()); // used now: to be kept
        return program;
      } catch (error) {
        if (error instanceof PretrainError || hasErrorCode(error, "ENOENT")) return undefined;
        throw error;
      }
    },
    write(key, program) {
      mkdirSync(folder, { recursive: true });
      storeProgram(pathOf(key), program);
      removeOld(folder, limit);
    },
  };
}

/** Also what a process that died in the middle of writing has left. */
function removeOld(folder: string, limit: number): void {
  const files = readdirSync(folder).map((name) => ({ path: join(folder, name), usedMs: usedMs(join(folder, name)) }));
  const programs = files.filter(({ path }) => path.endsWith(suffix)).sort((a, b) => b.usedMs - a.usedMs);
  const abandoned = files.filter(({ path, usedMs }) => {
    return path.endsWith(temporarySuffix) && usedMs < Date.now() - abandonedMs;
  });
  for (const { path } of [...programs.slice(limit), ...abandoned]) rmSync(path, { force: true });
}

/** @returns 0 for a file that another process has removed meanwhile */
function usedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
