/** A file of annotations: one, or a list of them, as YAML or JSON with the names of the .proto file. */
import { fromJson } from "@bufbuild/protobuf";
import { InvalidArgument, messageOf } from "@pretrain/errors";
import { type Annotation, AnnotationSchema } from "@pretrain/proto";
import { isSeq, LineCounter } from "yaml";
import { checkedYaml, expectNoFaults } from "./checked-yaml.ts";
import { fieldsOf } from "./fields-of-yaml.ts";

/** @throws what `parseExperimentFile` throws, and InvalidArgument for an annotation with two contents */
export function parseAnnotationFile(text: string, fileName: string): Annotation[] {
  const lines = new LineCounter();
  const tree = checkedYaml(text, fileName, lines);
  const entries = isSeq(tree) ? tree.items : [tree];
  const read = entries.map((entry) => fieldsOf(entry, AnnotationSchema));
  const faults = read.flatMap((each, index) =>
    each.faults.map((fault) => ({ ...fault, field: isSeq(tree) ? `[${index}].${fault.field}` : fault.field })),
  );
  expectNoFaults(faults, fileName, lines);
  return read.map(({ json }, index) => {
    try {
      return fromJson(AnnotationSchema, json);
    } catch (error) {
      throw new InvalidArgument([{ field: `${fileName}[${index}]`, description: messageOf(error) }], { cause: error });
    }
  });
}
