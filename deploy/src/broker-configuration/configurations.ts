/**
 * The configurations that the broker's servers have on a cluster: of one server, and of three. They are files beside the manifests, for
 * whoever reads or reviews a deployment, and are written from the same table as the servers that tests start.
 */
import { brokerPermissions } from "@pretrain/events";
import { natsConfiguration } from "@pretrain/nats-server";

/** Less than the volume, which holds more than streams. */
export const storeBytes = 16 * 2 ** 30;

const serverOnCluster = {
  host: "0.0.0.0",
  port: 4222,
  monitoringPort: 8222,
  storeDirectory: "/data",
  storeBytes,
  access: { certificates: "/etc/pretrain/tls", users: brokerPermissions },
} as const;

/** Names of the StatefulSet's pods, by its headless service. */
const members = [0, 1, 2].map((number) => `nats-${number}.nats:6222`);

const origin =
  "# node deploy/src/broker-configuration/main.ts writes this file from libs/platform/events/src/permissions.ts.\n";

/** By the folder of `deploy/components` that they belong to. */
export const brokerConfigurations = {
  nats: `${origin}${natsConfiguration(serverOnCluster)}`,
  "nats-cluster": `${origin}${natsConfiguration({ ...serverOnCluster, cluster: { port: 6222, members } })}`,
} as const;

export function configurationFile(component: keyof typeof brokerConfigurations): URL {
  return new URL(`../../components/${component}/nats.conf`, import.meta.url);
}
