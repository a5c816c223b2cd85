/** Ten thousand experiments queued at once, on a real broker: how fast they are taken in and listed, and what memory that takes. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import type { TrainerService } from "@pretrain/proto";
import type { PretrainClient } from "@pretrain/rpc";
import { median } from "./statistics.ts";
import { startTrainer, type TrainerProcess } from "./trainer-process.ts";

export interface Milliseconds {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface QueueFigures {
  readonly experiments: number;
  readonly starts_per_second: number;
  /** Every page of 50, from the newest to the oldest. */
  readonly pages_ms: Milliseconds;
  /** The first page, while others are started. */
  readonly first_page_while_starting_ms: Milliseconds;
  /** Resident memory of the API process, in MiB, after so many starts. */
  readonly rss_mib: readonly { readonly experiments: number; readonly mib: number }[];
  /** From the start of another API process over the same broker to its first answered page. */
  readonly seconds_to_first_page_after_restart: number;
  readonly rss_mib_after_restart: number;
}

type Trainer = PretrainClient<typeof TrainerService>;

const startsAtOnce = 32;

export function readQueueOptions(parameters: readonly string[]): { readonly experiments: number } {
  const { values } = parseArgs({
    args: [...parameters],
    options: { experiments: { type: "string", default: "10000" } },
  });
  const experiments = Number(values.experiments);
  if (Number.isInteger(experiments) && experiments >= 100 && experiments <= 100_000) return { experiments };
  throw new RangeError(`--experiments is ${values.experiments}; it must be a whole number from 100 to 100000`);
}

export async function queue(experiments: number, tell: (line: string) => void): Promise<QueueFigures> {
  await ensureNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "pretrain-queue-"));
  await using running = new AsyncDisposableStack();
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  const broker = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const first = await startTrainer(broker.url, folder);
  const filled = await fill(first, experiments, tell).finally(() => first.stop());
  const began = performance.now();
  const second = running.use(await startTrainer(broker.url, folder));
  await second.client.listExperiments({});
  return {
    experiments,
    ...filled,
    seconds_to_first_page_after_restart: (performance.now() - began) / 1000,
    rss_mib_after_restart: residentMib(second.pid),
  };
}

async function fill({ client, pid }: TrainerProcess, experiments: number, tell: (line: string) => void) {
  const rss = [{ experiments: 0, mib: residentMib(pid) }];
  const firstPages: number[] = [];
  const began = performance.now();
  const step = Math.ceil(experiments / 10);
  for (let done = 0; done < experiments; ) {
    const upTo = Math.min(experiments, done + step);
    await startAll(client, done, upTo);
    done = upTo;
    for (let look = 0; look < 20; look += 1) firstPages.push(await timed(() => client.listExperiments({})));
    rss.push({ experiments: done, mib: residentMib(pid) });
    tell(`${done} experiments, ${residentMib(pid)} MiB`);
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    starts_per_second: experiments / seconds,
    first_page_while_starting_ms: spread(firstPages),
    pages_ms: spread(await allPages(client, experiments)),
    rss_mib: rss,
  };
}

async function startAll(client: Trainer, from: number, to: number): Promise<void> {
  let next = from;
  const starting = Array.from({ length: startsAtOnce }, async () => {
    while (next < to) {
      const experimentId = `e-${next}`;
      next += 1;
      await client.startExperiment({ experimentId, recipe: { data: { path: "book.txt" } }, requestId: experimentId });
    }
  });
  await Promise.all(starting);
}

async function allPages(client: Trainer, experiments: number): Promise<number[]> {
  const times: number[] = [];
  let [pageToken, seen] = ["", 0];
  do {
    const began = performance.now();
    const page = await client.listExperiments({ pageToken });
    times.push(performance.now() - began);
    seen += page.experiments.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  if (seen !== experiments) throw new Error(`${seen} experiments were listed, not ${experiments}`);
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export function spread(values: readonly number[]): Milliseconds {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: median(values), p95: at(0.95), max: at(1) };
}

export function queueTable(figures: QueueFigures): string {
  const ms = ({ p50, p95, max }: Milliseconds) => `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${max.toFixed(1)} ms`;
  return [
    `started                                    ${figures.starts_per_second.toFixed(0)} a second`,
    `a page of 50, p50 / p95 / max              ${ms(figures.pages_ms)}`,
    `the first page while others are started    ${ms(figures.first_page_while_starting_ms)}`,
    ...figures.rss_mib.map(
      ({ experiments, mib }) => `memory after ${String(experiments).padStart(6)}         ${mib} MiB`,
    ),
    `restart to the first page                  ${figures.seconds_to_first_page_after_restart.toFixed(2)} s`,
    `memory after the restart                   ${figures.rss_mib_after_restart} MiB`,
  ].join("\n");
}

function residentMib(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}
