/** What was written down later: nothing is overwritten, and what another one has taken the place of does not count. */
import type { Annotation } from "@pretrain/proto";

/** Those that no other one supersedes, in their order. */
export function standing(annotations: readonly Annotation[]): Annotation[] {
  const superseded = new Set(annotations.map(({ supersedes }) => supersedes));
  return annotations.filter(({ name }) => !superseded.has(name));
}
