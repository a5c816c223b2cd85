/**
 * What may be corrected, and by which of several corrections. A correction measures the same anew, with what was wrong put right:
 *
 *     evaluations/a-8 ◀── supersedes ── evaluations/a-8-c4a11e0d     SUCCEEDED: a-8 says that it is superseded, and stays
 *                     ◀── supersedes ── evaluations/a-8-d00dfeed     FAILED: nothing is superseded
 */
import { reflect } from "@bufbuild/protobuf/reflect";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { checkpointName } from "@pretrain/checkpoint";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import {
  type Evaluation,
  type EvaluationSettings,
  EvaluationSettingsSchema,
  Evaluation_State as State,
} from "@pretrain/proto";
import { evaluationIds, evaluationName, type Subject } from "./identity.ts";
import { hasEnded } from "./lifecycle.ts";

const field = "supersedes.evaluation";

/**
 * @throws InvalidArgument when `old` is not a measurement of the same bytes in the same way; FailedPrecondition when it has not
 * ended, or when there is another correction of it already
 */
export function refuseCorrection(old: Evaluation, correction: Subject): void {
  const wanted = checkpointName(correction.checkpoint);
  if (old.checkpoint !== wanted) throw invalid(`${old.name} measured ${old.checkpoint}, not ${wanted}`);
  if (old.checkpointSha256 !== correction.checkpointSha256) {
    const digests = `it had the manifest ${old.checkpointSha256}, now it has ${correction.checkpointSha256}`;
    throw invalid(`${old.name} measured ${wanted} before it was written anew: ${digests}`);
  }
  refuseOtherSettings(old, correction.settings);
  refuseState(old, correction);
}

function refuseState(old: Evaluation, correction: Subject): void {
  const metadata = { evaluation: old.name };
  if (!hasEnded(old)) {
    const message = `${old.name} has not ended; it can be corrected when it has`;
    throw new FailedPrecondition("NOT_ENDED", message, metadata);
  }
  if (old.supersedes !== undefined && old.state !== State.SUCCEEDED) {
    throw invalid(`${old.name} superseded nothing, for it failed; correct ${old.supersedes.evaluation}`);
  }
  const isSame = evaluationIds(correction).map(evaluationName).includes(old.supersededBy); // asked for once more
  if (old.supersededBy === "" || isSame) return;
  const message = `${old.name} is superseded by ${old.supersededBy} already; correct that one`;
  throw new FailedPrecondition("SUPERSEDED", message, { ...metadata, superseded_by: old.supersededBy });
}

/** An evaluation whose recipe could not be read had none: then there is nothing to differ from. */
function refuseOtherSettings({ name, settings: old }: Evaluation, settings: EvaluationSettings | undefined): void {
  if (old === undefined || settings === undefined) return;
  const [before, now] = [reflect(EvaluationSettingsSchema, old), reflect(EvaluationSettingsSchema, settings)];
  const found = compared
    .map((setting) => ({ name: setting.name, was: Number(before.get(setting)), is: Number(now.get(setting)) }))
    .filter(({ was, is }) => was !== is)
    .map(({ name: setting, was, is }) => `${setting} is ${is}, not ${was}`);
  if (found.length === 0) return;
  throw new InvalidArgument([
    { field: "settings", description: `a correction measures what ${name} measured; here ${found.join(", ")}` },
  ]);
}

/** The number of rows scored at once changes no result. */
const compared = EvaluationSettingsSchema.fields.filter(({ localName }) => localName !== "batchRows");

/** Of two corrections of one evaluation that were made side by side the one that ended last counts. */
export function endedLater(a: Evaluation, b: Evaluation): boolean {
  const [timeOfA, timeOfB] = [a, b].map(({ endTime }) => (endTime === undefined ? 0 : timestampMs(endTime)));
  return timeOfA === timeOfB ? a.name > b.name : (timeOfA ?? 0) > (timeOfB ?? 0);
}

function invalid(description: string): InvalidArgument {
  return new InvalidArgument([{ field, description }]);
}
