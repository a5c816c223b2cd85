/** The manifests with another version of our images; what others made keeps its own. */
import { InvalidArgument } from "@pretrain/errors";
import type { Manifest } from "./manifests.ts";

/** What an image may be called after the colon, as registries take it. */
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const ours = /^(?<repository>(?:[^\s@]*\/)?pretrain-[a-z-]+)(?::[^\s@/]+)?(?<digest>@\S+)?$/;

/** @throws InvalidArgument for a tag that is none, and where the overlay pins an image by its digest, which says more than a tag */
export function withTag(manifests: readonly Manifest[], tag: string): readonly Manifest[] {
  if (!tagPattern.test(tag)) throw refused(`"${tag}" is no tag: letters, digits, "_", "." and "-" are`);
  return manifests.map((manifest) =>
    JSON.parse(JSON.stringify(manifest), (key, value: unknown) => {
      const image = key === "image" && typeof value === "string" ? ours.exec(value)?.groups : undefined;
      if (image === undefined) return value;
      if (image["digest"] === undefined) return `${image["repository"]}:${tag}`;
      throw refused(`the overlay pins ${String(value)} by its digest: change it there`);
    }),
  );
}

function refused(description: string): InvalidArgument {
  return new InvalidArgument([{ field: "--tag", description }]);
}
