/** What Prometheus learns of work that waits: asked of the broker when somebody wants to know. */
import type { DescMessage } from "@bufbuild/protobuf";
import type { Metrics } from "@pretrain/observability";
import type { Broker } from "./broker.ts";
import type { WorkKind } from "./work.ts";

export function tellWorkload(
  metrics: Metrics,
  broker: Pick<Broker, "workload">,
  kinds: readonly WorkKind<DescMessage>[],
): void {
  const help = "Pieces of work in a queue, by whether somebody has them in hand.";
  const pieces = metrics.gauge("pretrain_work_queue_pieces", help, ["queue", "state"]);
  metrics.beforeScrape(async () => {
    for (const kind of kinds) {
      const { waiting, inHands } = await broker.workload(kind);
      pieces(waiting, { queue: kind.queue, state: "waiting" });
      pieces(inHands, { queue: kind.queue, state: "in_hands" });
    }
  });
}
