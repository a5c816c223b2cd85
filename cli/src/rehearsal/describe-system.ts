/** What a person can do now that the system runs: the addresses, as commands to copy. */
import type { LocalSystem } from "../local-system/local-system.ts";

export function describeSystem({ addresses, natsUrl, pageUrl }: LocalSystem): string {
  return [
    `page       ${pageUrl}`,
    `trainer    grpcurl -plaintext ${addresses.trainer} list`,
    `evaluator  grpcurl -plaintext ${addresses.evaluator} list`,
    `report     grpcurl -plaintext ${addresses.report} list`,
    `data       grpcurl -plaintext ${addresses["data-shard"]} list`,
    `metrics    nats -s ${natsUrl} sub 'pretrain.metrics.>'`,
  ].join("\n");
}
