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

/** An evaluation that leaves the processors to others may wait for hours where other tests keep them busy. */
const impatient = { PRETRAIN_EVALUATION_NICENESS: "0" };

export async function startSystem(
  t: TestContext,
  environment: Readonly<Record<string, string>> = {},
  blobs: { readonly blobsUrl?: string } = {},
): Promise<SystemUnderTest> {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const directory = temporaryDirectory(t);
  const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
  await mkdir(dataRoot, { recursive: true });
  await writeChapters(join(dataRoot, "chapters.jsonl"));
  const given = { stateDirectory, dataRoots: [dataRoot], ports: "free", ...blobs } as const;
  const system = running.use(await startLocalSystem({ ...given, environment: { ...impatient, ...environment } }));
  return { ...system, dataRoot, stateDirectory };
}
