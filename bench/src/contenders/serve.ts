/** A contender's end of the protocol, for Node. What libraries print on stdout would break it, so answers go by descriptor. */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Config, Ready, Request, Round } from "../protocol.ts";

export interface Served {
  readonly ready: Omit<Ready, "loaded_rss_mib">;
  readonly run: (units: number) => Promise<Round> | Round;
}

/** Answers until it is asked to end, or nobody asks any more. */
export async function serve(prepare: (config: Config) => Promise<Served> | Served): Promise<void> {
  const loadedRssMib = process.memoryUsage.rss() / 2 ** 20;
  let served: Served | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request: Request = JSON.parse(line);
    if ("prepare" in request) {
      served = await prepare(request.prepare);
      answer({ ready: { ...served.ready, loaded_rss_mib: loadedRssMib } });
    } else if ("run" in request) {
      if (served === undefined) throw new Error("asked to run before it was prepared");
      answer(await served.run(request.run));
    } else {
      answer({ peak_rss_mib: process.resourceUsage().maxRSS / 1024 });
      return;
    }
  }
}

function answer(value: object): void {
  writeSync(1, `${JSON.stringify(value)}\n`);
}

/** Seconds of some work, in wall time, and what it gave. */
export async function timed<T>(work: () => Promise<T> | T): Promise<{ readonly seconds: number; readonly value: T }> {
  const begunMs = performance.now();
  const value = await work();
  return { seconds: (performance.now() - begunMs) / 1000, value };
}
