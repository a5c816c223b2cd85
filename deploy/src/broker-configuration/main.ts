/** Writes the configurations of the broker's servers beside their manifests. A test fails until this was run after a change. */
import { writeFileSync } from "node:fs";
import { renderCommand } from "../manifests/rendered.ts";
import { brokerConfigurations, configurationFile } from "./configurations.ts";

for (const component of ["nats", "nats-cluster"] as const) {
  writeFileSync(configurationFile(component), brokerConfigurations[component]);
}
console.log(`the kept manifests hold a copy: run \`${renderCommand}\``);
