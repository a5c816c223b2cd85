/** A recipe file: a StartExperimentRequest as YAML or JSON with the names of the .proto files. */
import { fromJson } from "@bufbuild/protobuf";
import { type StartExperimentRequest, StartExperimentRequestSchema } from "@pretrain/proto";
import { LineCounter } from "yaml";
import { checkedYaml, expectNoFaults } from "./checked-yaml.ts";
import { fieldsOf } from "./fields-of-yaml.ts";

/**
 * The request in a file. It is read, not yet checked as a recipe: `completeRecipe` does that.
 *
 * @param fileName for the errors
 * @throws InvalidArgument naming every field that is unknown (with the nearest known name) or of another type, each with
 *   its line; a file above 256 KiB, one that is no YAML or JSON, an alias, an unknown tag, a key twice
 */
export function parseExperimentFile(text: string, fileName: string): StartExperimentRequest {
  const lines = new LineCounter();
  const { json, faults } = fieldsOf(checkedYaml(text, fileName, lines), StartExperimentRequestSchema);
  expectNoFaults(faults, fileName, lines);
  return fromJson(StartExperimentRequestSchema, json);
}
