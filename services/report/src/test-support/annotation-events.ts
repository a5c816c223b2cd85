/** Test support: an annotation, as the report service publishes it. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Annotation, Annotation_AuthorKind, AnnotationSchema } from "@pretrain/proto";
import type { LedgerEvent } from "../ledger/ledger-event.ts";

export type AnnotationFields = Exclude<MessageInitShape<typeof AnnotationSchema>, Annotation>;

/** @param id the last part of its name */
export function annotationEvent(
  experiment: string,
  id: string,
  timeMs: number,
  fields: AnnotationFields,
): LedgerEvent & { readonly kind: "annotation" } {
  const signed = { author: "林岚", authorKind: Annotation_AuthorKind.PERSON, ...fields };
  const named = { experiment, name: `${experiment}/annotations/${id}`, time: timestampFromMs(timeMs) };
  return { kind: "annotation", message: create(AnnotationSchema, { ...signed, ...named }) };
}
