/** Many watchers of one experiment, in a process of their own. Started by watchers.ts: `<report> <experiment> <watchers>`. */
import { ReportService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";

const [address = "", experiment = "", wanted = "0"] = process.argv.slice(2);
/** Streams of one connection: a server allows no more than some at once. */
const perConnection = 50;
const counts = Array.from({ length: Number(wanted) }, () => 0);
let watching = 0;

process.on("message", () => process.send?.({ counts }));
process.on("disconnect", () => process.exit(0));
for (let first = 0; first < counts.length; first += perConnection) {
  const client = connectClient(ReportService, address);
  for (let index = first; index < Math.min(counts.length, first + perConnection); index += 1) void watch(client, index);
}

async function watch(client: ReturnType<typeof connectClient<typeof ReportService>>, index: number): Promise<void> {
  let isFirst = true;
  for await (const { steps } of client.watchMetrics({ experiment })) {
    if (isFirst && ++watching === counts.length) process.send?.({ watching });
    isFirst = false;
    counts[index] = (counts[index] ?? 0) + steps.length;
  }
}
