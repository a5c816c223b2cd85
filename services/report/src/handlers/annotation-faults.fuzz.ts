import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { Annotation_AuthorKind, AnnotationSchema } from "@pretrain/proto";
import { type FuzzTarget, filledMessage } from "@pretrain/testing";
import { KnownNumbers } from "../record/prose/known-numbers.ts";
import { recordNumbers } from "../record/prose/record-numbers.ts";
import { unsupportedIn } from "../record/prose/unsupported-numbers.ts";
import { everythingReport } from "../test-support/everything-report.ts";
import { expectWhole } from "./annotation-faults.ts";

const known = new KnownNumbers(recordNumbers(everythingReport()));
const words = [
  "The loss fell to 2.43, by 73%, in 11 h 43 min; 25.83M parameters, 1.5 GB. See `x = 3`, v1.2.3 and 2025-07-30 15:30.",
  "下降73%，用时 11 小时 43 分，约 1.2 亿；第 3 名。２.４３",
];

/** A sentence; or, where it is JSON, an annotation. */
export default {
  seeds: () => [
    ...words.map((text) => new TextEncoder().encode(text)),
    new TextEncoder().encode(toJsonString(AnnotationSchema, filledMessage(AnnotationSchema))),
  ],
  dictionary: [
    " 1",
    "1,",
    "%",
    "万",
    "亿",
    "e",
    "`",
    "```",
    "https://",
    "Jan ",
    " ±",
    "1:",
    "-",
    ".",
    "\n1. ",
    "#1",
    " GiB",
  ],
  take(bytes) {
    const annotation = annotationOf(new TextDecoder().decode(bytes).slice(0, 20_000));
    expectWhole(annotation, "annotation");
    unsupportedIn(annotation, known);
  },
} satisfies FuzzTarget;

function annotationOf(text: string) {
  try {
    return fromJsonString(AnnotationSchema, text);
  } catch {
    const authorKind = Annotation_AuthorKind.PERSON;
    return create(AnnotationSchema, { author: "ada", authorKind, content: { case: "finding", value: { text } } });
  }
}
