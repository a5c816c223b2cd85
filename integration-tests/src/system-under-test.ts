/** The whole system for a test: the broker and the four services as processes, on free ports, in a folder that goes with the test. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type LocalSystem, startLocalSystem } from "@pretrain/cli";
import { temporaryDirectory } from "@pretrain/testing";
import { writeChapters } from "./chapters.ts";

export interface SystemUnderTest extends LocalSystem {
  /** Where recipes' paths are looked up; holds `chapters.jsonl`. */
  readonly dataRoot: string;
  readonly stateDirectory: string;
}

export async function startSystem(t: TestContext): Promise<SystemUnderTest> {
  const directory = temporaryDirectory(t);
  const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
  await mkdir(dataRoot, { recursive: true });
  await writeChapters(join(dataRoot, "chapters.jsonl"));
  const system = await startLocalSystem({ stateDirectory, dataRoots: [dataRoot], ports: "free" });
  t.after(() => system[Symbol.asyncDispose]());
  return { ...system, dataRoot, stateDirectory };
}
