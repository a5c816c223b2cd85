/** What was changed in the code for an experiment: what the recipe says, or what somebody had to say later. Sums are computed. */
import type { Annotation, ChangeRecord, Report } from "@pretrain/proto";
import { standing } from "./annotations.ts";

export interface ChangeSums {
  readonly files: number;
  readonly addedLines: number;
  readonly deletedLines: number;
  /** Files whose lines nobody counted, such as binary ones: the sums are without them. */
  readonly uncountedFiles: number;
}

export function changeSums(changes: ChangeRecord | undefined): ChangeSums {
  const files = changes?.files ?? [];
  const isCounted = ({ addedLines, deletedLines }: (typeof files)[number]) =>
    (addedLines ?? deletedLines) !== undefined;
  return {
    files: files.length,
    addedLines: files.reduce((sum, { addedLines = 0n }) => sum + Number(addedLines), 0),
    deletedLines: files.reduce((sum, { deletedLines = 0n }) => sum + Number(deletedLines), 0),
    uncountedFiles: files.filter((file) => !isCounted(file)).length,
  };
}

export interface KnownChanges {
  readonly changes: ChangeRecord;
  /** Undefined: the recipe says so, sealed before the run. */
  readonly annotation: Annotation | undefined;
}

/** The last thing that was said about it. Undefined: nothing was. */
export function knownChanges({
  recipe,
  annotations,
}: Pick<Report, "recipe" | "annotations">): KnownChanges | undefined {
  const later = standing(annotations).flatMap((annotation) =>
    annotation.content.case === "changes" ? [{ annotation, changes: annotation.content.value }] : [],
  );
  const sealed = recipe?.intent?.changes;
  return later.at(-1) ?? (sealed && { changes: sealed, annotation: undefined });
}
