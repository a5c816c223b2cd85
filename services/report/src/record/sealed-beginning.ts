/**
 * The first transition, which sealed the recipe before any step. Somebody may send another one with other targets later; the ledger keeps
 * both and the record tells the contradiction. What the run itself went by decides: its later transitions and its checkpoints carry
 * the digest of the recipe that was sealed.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StateChanged } from "@pretrain/proto";
import { recipeSha256 } from "@pretrain/recipe";
import type { History } from "./history.ts";

type Beginnings = Pick<History, "transitions" | "otherBeginnings" | "checkpoints">;

/** The history in which the first transition is the one that sealed the recipe. */
export function withSealedBeginning(history: History): History {
  const sealed = sealedBeginning(history);
  return sealed === undefined ? history : { ...history, transitions: [sealed, ...history.transitions.slice(1)] };
}

/** Undefined when there is no transition; while the first has not arrived, the earliest that has, which holds no recipe. */
function sealedBeginning({ transitions, otherBeginnings, checkpoints }: Beginnings): StateChanged | undefined {
  const [first, ...later] = transitions;
  if (first === undefined || otherBeginnings.length === 0) return first;
  const named = new Set(
    [...later, ...checkpoints.map(({ checkpoint }) => checkpoint)].map((each) => each?.recipeSha256),
  );
  const claimants = [first, ...otherBeginnings].sort((a, b) => timeMs(a) - timeMs(b));
  return claimants.find((claimant) => named.has(ownDigest(claimant))) ?? claimants[0];
}

/** Of the recipe that it holds; what it says about itself proves nothing. */
function ownDigest({ recipe }: StateChanged): string {
  return recipe === undefined ? "" : recipeSha256(recipe);
}

function timeMs({ time }: StateChanged): number {
  return time === undefined ? 0 : timestampMs(time);
}
