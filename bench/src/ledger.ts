/** How many step events a second the report service stores: those of a stream of a real broker, from the first to the last. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Broker, connectBroker, ensureTopology, events } from "@pretrain/events";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { StepMetricSchema } from "@pretrain/proto";
import { startReport } from "./report-process.ts";

export interface LedgerFigures {
  readonly events: number;
  /** From one look to the next, each of about a second. */
  readonly slowest_second: number;
  readonly seconds: number;
  readonly events_per_second: number;
}

const publishedAtOnce = 500;
const lookEveryMs = 1000;

export function readLedgerOptions(parameters: readonly string[]): { readonly events: number } {
  const { values } = parseArgs({
    args: [...parameters],
    options: { events: { type: "string", default: "200000" } },
  });
  const count = Number(values.events);
  if (Number.isInteger(count) && count >= 1000 && count <= 4_000_000) return { events: count };
  throw new RangeError(`--events is ${values.events}; it must be a whole number from 1000 to 4000000`);
}

/** The stream is filled before the service starts: what is measured is the service, not who publishes. */
export async function ledger(count: number, tell: (line: string) => void): Promise<LedgerFigures> {
  await ensureNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "pretrain-ledger-"));
  await using running = new AsyncDisposableStack();
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  const server = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "nats") }));
  const log = createLog("bench", "warn");
  const broker = running.use(await connectBroker({ url: server.url, name: "bench", log }));
  await ensureTopology(broker);
  await publishSteps(broker, count, tell);
  const { http } = running.use(await startReport(server.url, folder));
  return rates(await stored(http, count, tell));
}

async function publishSteps(broker: Broker, count: number, tell: (line: string) => void): Promise<void> {
  for (let from = 1; from <= count; from += publishedAtOnce) {
    const to = Math.min(count, from + publishedAtOnce - 1);
    const steps = Array.from({ length: to - from + 1 }, (_, index) => stepOf(from + index));
    await Promise.all(steps.map((step) => broker.publish(events.step, step)));
    if (to % 20_000 < publishedAtOnce) tell(`${to} published`);
  }
}

function stepOf(microStep: number) {
  const totalMs = 800 + Math.sin(microStep);
  return create(StepMetricSchema, {
    experiment: "experiments/stored",
    attempt: 1,
    attemptNonce: "0123456789abcdef0123456789abcdef",
    time: timestampFromMs(Date.UTC(2026, 0, 1) + 800 * microStep),
    microStep: BigInt(microStep),
    optimizerStep: BigInt(Math.floor(microStep / 8)),
    epoch: 1,
    lossNats: 10_000 * (2 + Math.sin(microStep) / 10),
    lossTokens: 3800n,
    rows: 8,
    learningRate: 2e-4 * Math.cos(microStep / 1e6),
    ...(microStep % 8 === 0 && { gradientNorm: 0.7 + Math.cos(microStep) / 10, clipScale: 1 }),
    tokensSeen: BigInt(3800 * microStep),
    tokens: 3800n,
    positions: 4096n,
    times: { dataMs: 0.51, forwardBackwardMs: totalMs - 5.01, optimizerMs: 3.5, otherMs: 1, totalMs },
  });
}

interface Look {
  readonly ms: number;
  readonly stored: number;
}

/** Looks at what the service says that it has taken, from its first event to its last one. */
async function stored(http: string, count: number, tell: (line: string) => void): Promise<Look[]> {
  const looks: Look[] = [];
  for (;;) {
    const text = await (await fetch(`http://${http}/metrics`)).text();
    const taken = Number(/^pretrain_ledger_events_total\{[^}]*kind="step"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
    looks.push({ ms: performance.now(), stored: taken });
    tell(`${taken} stored`);
    if (taken >= count) return looks;
    await pause(lookEveryMs);
  }
}

export function rates(looks: readonly Look[]): LedgerFigures {
  const begin = looks.findLast(({ stored }) => stored === 0) ?? looks[0];
  const end = looks.at(-1);
  if (begin === undefined || end === undefined) throw new RangeError("nothing was stored");
  const whole = looks.slice(looks.indexOf(begin)).slice(1, -1); // the first and the last second are not full
  const perSecond = whole.slice(1).map(({ ms, stored }, index) => {
    const before = whole[index];
    return before === undefined ? 0 : (stored - before.stored) / ((ms - before.ms) / 1000);
  });
  const seconds = (end.ms - begin.ms) / 1000;
  return {
    events: end.stored,
    seconds,
    events_per_second: (end.stored - begin.stored) / seconds,
    slowest_second: Math.min(...(perSecond.length > 0 ? perSecond : [(end.stored - begin.stored) / seconds])),
  };
}

export function ledgerTable({ events: count, seconds, events_per_second, slowest_second }: LedgerFigures): string {
  return [
    `stored          ${count} step events in ${seconds.toFixed(1)} s`,
    `a second        ${events_per_second.toFixed(0)}`,
    `slowest second  ${slowest_second.toFixed(0)}`,
  ].join("\n");
}
