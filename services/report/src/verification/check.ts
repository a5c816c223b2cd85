/** One check of a verification: what was looked at, and whatever is otherwise than it should be. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Verification_Check,
  Verification_Check_Outcome,
  Verification_CheckSchema,
  Verification_DifferenceSchema,
} from "@pretrain/proto";

export type Found = MessageInitShape<typeof Verification_DifferenceSchema>;

/** More of them say nothing new. */
export const maximumDifferences = 100;
/** Of a value that is shown, in UTF-16 units: a line of a document can be long. */
const longestValue = 400;

/** @param evidence what was looked at, with counts */
export function checked(name: string, evidence: string, found: readonly Found[]): Verification_Check {
  const { PASSED, FAILED } = Verification_Check_Outcome;
  return create(Verification_CheckSchema, {
    name,
    outcome: found.length === 0 ? PASSED : FAILED,
    evidence,
    differences: found.slice(0, maximumDifferences).map(shortened),
  });
}

/** @param reason why it could not be made */
export function skipped(name: string, reason: string): Verification_Check {
  return create(Verification_CheckSchema, { name, outcome: Verification_Check_Outcome.SKIPPED, evidence: reason });
}

function shortened({ place = "", section = "", recorded = "", computed = "" }: Found) {
  return create(Verification_DifferenceSchema, {
    place: cut(place),
    section,
    recorded: cut(recorded),
    computed: cut(computed),
  });
}

function cut(text: string): string {
  const whole = text.toWellFormed();
  return whole.length <= longestValue ? whole : `${whole.slice(0, longestValue).toWellFormed()}…`;
}
