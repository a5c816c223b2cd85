/** A process that says steps as the one that trains does, and what that costs its processor. Started by logging.ts. */
import { kinds, openParentChannel } from "@pretrain/worker-process";

interface Wanted {
  readonly kind: "say";
  readonly steps: number;
}

const begun = Promise.withResolvers<number>();
const channel = openParentChannel<Wanted, { readonly kind: "step" | "cost" }>({
  receives: kinds<Wanted>({ say: true }),
  onMessage: ({ steps }) => begun.resolve(steps),
});

const steps = await begun.promise;
for (let microStep = 1; microStep <= 1000; microStep += 1) await say(microStep); // compiled by then
const before = process.cpuUsage();
for (let microStep = 1001; microStep <= 1000 + steps; microStep += 1) await say(microStep);
const { user, system } = process.cpuUsage(before);
const cost = { kind: "cost" as const, microseconds: (user + system) / steps };
await channel.send(cost);
process.exit(0); // the open channel would keep it alive

/** With a memory sample at every tenth, as a recipe's defaults say. The fields are those of services/trainer/src/worker/protocol.ts. */
function say(microStep: number): Promise<void> {
  const memory = microStep % 10 === 0 ? { rssBytes: process.memoryUsage.rss(), ...peak() } : undefined;
  const step = {
    kind: "step" as const,
    endTimeMs: Date.now(),
    microStep,
    optimizerStep: Math.floor(microStep / 8),
    epoch: 1,
    lossNats: 159_411.25 / microStep,
    lossTokens: 65_408,
    rows: 128,
    learningRate: 2e-4,
    update: microStep % 8 === 0 ? { gradientNorm: 1.317, clipScale: 0.7593 } : undefined,
    tokensSeen: 65_536 * microStep,
    tokens: 65_536,
    positions: 65_536,
    times: { dataMs: 0.03, forwardBackwardMs: 240.48, optimizerMs: 0.9, otherMs: 0.24, totalMs: 241.65 },
    memory,
  };
  return channel.send(step);
}

function peak() {
  return { peakRssBytes: process.resourceUsage().maxRSS * 1024, tensorBytes: 706_800_000, tensors: 412 };
}
