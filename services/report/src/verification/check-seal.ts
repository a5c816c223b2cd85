/** `seal`: the recipe is the one whose digest was announced before the first step, here, in every transition and in the record. */
import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Report, StateChanged, Verification_Check } from "@pretrain/proto";
import { recipeSha256 } from "@pretrain/recipe";
import type { Ledger } from "../ledger/open-ledger.ts";
import { readHistory } from "../ledger/read-history.ts";
import { withSealedBeginning } from "../record/sealed-beginning.ts";
import { checked, type Found } from "./check.ts";

/** @param published undefined while there is no record that could differ */
export function checkSeal(ledger: Ledger, experiment: string, published: Report | undefined): Verification_Check {
  const history = readHistory(ledger, experiment);
  const first = history && withSealedBeginning(history).transitions[0];
  if (history === undefined || first?.recipe === undefined) {
    const found = { place: "state/1", recorded: "is not in the ledger", computed: "holds the recipe" };
    return checked("seal", "there is no recipe", [found]);
  }
  const digest = recipeSha256(first.recipe);
  const others = [...history.transitions, ...history.otherBeginnings].filter((each) => each !== first);
  const found = [
    ...differing("state/1: recipe_sha256", first.recipeSha256, digest),
    ...others.flatMap((each) => differing(`state/${each.sequence}: recipe_sha256`, each.recipeSha256, digest)),
    ...(published === undefined ? [] : inRecord(published, digest)),
    ...beforeTheFirstStep(ledger, experiment, first),
  ];
  const sealed = first.time === undefined ? "at no known time" : timestampDate(first.time).toISOString();
  return checked("seal", `recipe ${digest}, sealed ${sealed}, in ${others.length + 1} transitions`, found);
}

function inRecord({ recipe, recipeSha256: written }: Report, digest: string): Found[] {
  return [
    ...differing("recipeSha256", written, digest),
    ...differing("recipe", recipe === undefined ? "" : recipeSha256(recipe), digest).map((each) => ({
      ...each,
      section: "recipe",
    })),
  ];
}

function differing(place: string, recorded: string, computed: string): Found[] {
  return recorded === computed ? [] : [{ place, recorded, computed }];
}

/** By the times that stand in the events: those of one machine, unless the services are on several. */
function beforeTheFirstStep({ database }: Ledger, experiment: string, { time }: StateChanged): Found[] {
  const row = database
    .prepare("SELECT MIN(time_ms - total_ms) AS begin FROM steps WHERE experiment = ?")
    .get(experiment);
  const begin = row?.["begin"];
  if (typeof begin !== "number" || time === undefined || timestampMs(time) <= begin) return [];
  const recorded = `sealed ${timestampDate(time).toISOString()}`;
  return [{ place: "state/1: time", recorded, computed: `before ${new Date(Math.floor(begin)).toISOString()}` }];
}
