/** What the record vouches for of imported weights, as the computing process is told it. */
import type { Origin } from "@pretrain/proto";
import type { ImportedFiles } from "../worker/imported-weights.ts";

/** Undefined: they come from elsewhere. */
export function importedFiles(origin: Origin | undefined): ImportedFiles | undefined {
  const { source, files } = origin?.imported ?? {};
  const known = files?.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes: Number(sizeBytes), sha256 }));
  return source === undefined || known === undefined ? undefined : { source, files: known };
}
