/** Secrets are named and never written down: nothing in a manifest is worth hiding. */
import { containersOf, ofKind } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

const telling = /(KEY|SECRET|TOKEN|PASSWORD)(_ID)?$/;

export const secrets: Rule = (manifests) => [
  ...ofKind(manifests, "Secret").map(({ metadata: { name } }) => `secret ${name} is written down`),
  ...containersOf(manifests).flatMap(({ of: { name }, container: { env = [] } }) =>
    env.flatMap((variable) =>
      when(telling.test(variable.name) && variable.value !== undefined, `${name} has the value of ${variable.name}`),
    ),
  ),
  ...ofKind(manifests, "ConfigMap").flatMap(({ metadata: { name }, data = {} }) =>
    Object.entries(data).flatMap(([key, value]) =>
      when(telling.test(key) || /PRIVATE KEY-----/.test(value), `ConfigMap ${name} has the value of ${key}`),
    ),
  ),
];
