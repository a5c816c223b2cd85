import { toJsonString } from "@bufbuild/protobuf";
import { AnnotationSchema } from "@pretrain/proto";
import { type FuzzTarget, filledMessage } from "@pretrain/testing";
import { parseAnnotationFile } from "./index.ts";

export default {
  seeds: () =>
    [
      "author: ada\nfinding: { text: the loss fell by 81.7 %, metrics: [loss] }\n",
      "- author: ada\n  conclusion:\n    text: |\n      fine\n",
      toJsonString(AnnotationSchema, filledMessage(AnnotationSchema), { useProtoFieldName: true }),
    ].map((text) => new TextEncoder().encode(text)),
  dictionary: ["author", "finding", "conclusion", "diagnosis", "score", "next_experiment", "text"],
  take: (bytes) => parseAnnotationFile(new TextDecoder().decode(bytes), "words.yaml"),
} satisfies FuzzTarget;
