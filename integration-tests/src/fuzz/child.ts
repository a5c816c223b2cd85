/**
 * The process that parsers are tried in: its memory is limited by how it was started, and it may die. It is told by its arguments what to
 * try, and tells its parent how far it is: `child.ts SEED FIRST END MILLISECONDS FILE…`, the time being that of each parser.
 */
import type { FuzzTarget } from "@pretrain/testing";
import { type Progress, tryInputs } from "./try-inputs.ts";

/** What the parent is told. */
export interface ChildProgress extends Progress {
  readonly file: string;
  /** Greatest so far. */
  readonly rssBytes: number;
}

const [seed = "", first, end, limitMs, ...files] = process.argv.slice(2);
const range = { seed, first: Number(first), end: Number(end), limitMs: Number(limitMs) };
for (const file of files) {
  const { default: target }: { default: FuzzTarget } = await import(file);
  for await (const progress of tryInputs(target, range)) {
    await tell({ ...progress, file, rssBytes: process.resourceUsage().maxRSS * 1024 });
  }
}
process.disconnect?.();

function tell(progress: ChildProgress): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(progress, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
