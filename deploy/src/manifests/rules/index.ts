/** All rules, by what they are about. */
import { addresses } from "./addresses.ts";
import { certificates } from "./certificates.ts";
import { environment } from "./environment.ts";
import { gpus } from "./gpus.ts";
import { labels } from "./labels.ts";
import { limits } from "./limits.ts";
import { network } from "./network.ts";
import { references } from "./references.ts";
import { replicas } from "./replicas.ts";
import { restricted } from "./restricted.ts";
import type { Rule } from "./rule.ts";
import { secrets } from "./secrets.ts";
import { shutdown } from "./shutdown.ts";
import { versions } from "./versions.ts";
import { workers } from "./workers.ts";

export const rules = {
  addresses,
  certificates,
  environment,
  gpus,
  labels,
  limits,
  network,
  references,
  replicas,
  restricted,
  secrets,
  shutdown,
  versions,
  workers,
} as const satisfies Record<string, Rule>;
