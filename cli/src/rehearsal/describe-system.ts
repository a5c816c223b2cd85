/** What a person can do now that the system runs: the addresses, as commands to copy. */
import type { LocalSystem } from "../local-system/local-system.ts";

export function describeSystem({ addresses, natsUrl, pageUrl, identities }: LocalSystem): string {
  if (identities !== undefined) return securedSystem(pageUrl, identities);
  return [
    `page       ${pageUrl}`,
    `trainer    grpcurl -plaintext ${addresses.trainer} list`,
    `evaluator  grpcurl -plaintext ${addresses.evaluator} list`,
    `report     grpcurl -plaintext ${addresses.report} list`,
    `data       grpcurl -plaintext ${addresses["data-shard"]} list`,
    `metrics    nats -s ${natsUrl} sub 'pretrain.metrics.>'`,
  ].join("\n");
}

/** Whoever calls shows a key, and believes the authority of the state folder. */
function securedSystem(pageUrl: string, identities: NonNullable<LocalSystem["identities"]>): string {
  const { authorityFile, keyFile, accessFile } = identities;
  return [
    `page       ${pageUrl}  (its certificate is of an authority that browsers do not know: ${authorityFile})`,
    `you        export PRETRAIN_CA=${authorityFile} PRETRAIN_API_KEY_FILE=${keyFile}`,
    `others     pretrain keys create --name ada --role researcher --into ${accessFile}`,
  ].join("\n");
}
