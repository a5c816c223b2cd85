/** Which steps were computed more than once, and whether each of them lay behind the last checkpoint that was there. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type EventRow, numberAt } from "../chaos/oracle/event-rows.ts";
import { lateManifests } from "../chaos/oracle/stored-checkpoints.ts";

export interface Recomputed {
  /** Steps that a later attempt has computed again. */
  readonly steps: number;
  /** Sentences: attempts that went back further than to the last checkpoint before them. */
  readonly tooFar: readonly string[];
}

/** @param blobs folder of the store   @param ledger every event of the experiment */
export function recomputed(blobs: string, experiment: string, ledger: readonly EventRow[]): Recomputed {
  const computed = ledger.filter(({ kind }) => kind === "step").map(({ payload }) => numberAt(payload, "microStep"));
  const late = new Set([...lateManifests(blobs, experiment).values()].flat());
  const sealed = manifestsOf(blobs, experiment).filter(({ file }) => !late.has(file));
  const tooFar = ledger
    .filter(({ kind }) => kind === "attempt")
    .flatMap(({ payload }) => {
      const [attempt, from] = [numberAt(payload, "attempt"), numberAt(payload, "resumedFromMicroStep")];
      const before = sealed.filter((each) => each.attempt < attempt).map(({ microStep }) => microStep);
      const last = Math.max(0, ...before);
      return from === last
        ? []
        : [`attempt ${attempt} of ${experiment} went on from ${from}, and the last checkpoint before it was ${last}`];
    });
  return { steps: computed.length - new Set(computed).size, tooFar };
}

function manifestsOf(blobs: string, experiment: string) {
  const folder = join(blobs, "experiments", experiment, "checkpoints");
  return readdirSync(folder).flatMap((step) =>
    readdirSync(join(folder, step))
      .filter((name) => name.endsWith(".manifest.json"))
      .map((name) => ({
        microStep: Number(step),
        attempt: Number.parseInt(name, 10),
        file: join(folder, step, name),
      })),
  );
}
