/** What the kinds are that a cluster knows: as schemas, and as the definitions that are installed beside Kubernetes. */
import { existsSync } from "node:fs";
import { definitionsFolder } from "./ensure-definitions.ts";

export { ensureDefinitions, extensionsFolder, schemasFolder } from "./ensure-definitions.ts";

/** For the `skip` of a test: the command that fetches the definitions, or false where they are there. */
export function whyNoDefinitions(): string | false {
  return existsSync(definitionsFolder) ? false : "not fetched here: run `node deploy/src/tools/main.ts definitions`";
}
