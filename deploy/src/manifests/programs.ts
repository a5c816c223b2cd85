/**
 * What each program that a pod runs reads of its environment, asked of the program itself: its config.ts, and nothing else of a
 * service. So a variable that a program begins to need is missed in the manifests by the next test, and one that it has forgotten is told.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InvalidArgument } from "@pretrain/errors";
import { dataShardConfig } from "../../../services/data-shard/src/config.ts";
import { readServiceConfig, readWorkerConfig } from "../../../services/evaluator/src/config.ts";
import { reportConfig } from "../../../services/report/src/config.ts";
import { trainerConfig } from "../../../services/trainer/src/config.ts";
import type { Labels } from "./manifest.ts";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));

type Reader = (environment: NodeJS.ProcessEnv) => Readonly<Record<string, unknown>>;

/** By the path that a container's `args` name, from the checkout's root. */
const readers: Readonly<Record<string, Reader>> = {
  "services/data-shard/src/main.ts": dataShardConfig,
  "services/trainer/src/main.ts": trainerConfig,
  "services/trainer/src/worker-main.ts": trainerConfig,
  "services/evaluator/src/main.ts": readServiceConfig,
  "services/evaluator/src/attempt/main.ts": readWorkerConfig,
  "services/report/src/main.ts": reportConfig,
};

export interface Reading {
  /** Names of all variables that the program looks at. */
  readonly names: ReadonlySet<string>;
  /** What is wrong with what it finds; empty if it would start. */
  readonly faults: readonly string[];
  /** What it makes of it; empty where something is wrong. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** @returns undefined for a path that is no program of ours, or that is not there */
export function readingOf(program: string | undefined, environment: Labels): Reading | undefined {
  const read = readers[program ?? ""];
  if (read === undefined || !existsSync(join(checkout, program ?? ""))) return undefined;
  const names = new Set<string>();
  const watched = new Proxy<NodeJS.ProcessEnv>(
    { ...environment },
    {
      get(variables, name) {
        names.add(String(name));
        return variables[String(name)];
      },
    },
  );
  try {
    return { names, faults: [], config: read(watched) };
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error;
    return { names, faults: error.violations.map(({ field, description }) => `${field} ${description}`), config: {} };
  }
}

/** Everything that any of our programs looks at. */
export function namesReadByAny(): ReadonlySet<string> {
  return new Set(Object.keys(readers).flatMap((program) => [...(readingOf(program, {})?.names ?? [])]));
}
