/**
 * A recipe file: a StartExperimentRequest as YAML or JSON with the names of the .proto files. YAML 1.2 contains JSON, so one
 * reader serves both, and both get line numbers and the refusal of a key that is there twice.
 */
import { fromJson } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type StartExperimentRequest, StartExperimentRequestSchema } from "@pretrain/proto";
import { LineCounter } from "yaml";
import { fieldsOf } from "./fields-of-yaml.ts";
import { invalid } from "./invalid.ts";
import { readYaml } from "./read-yaml.ts";

const sizeLimitBytes = 256 * 1024;

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
  const [first, ...rest] = faults.map(({ offset, field, description }) => ({
    field,
    description: `${description} (${fileName}, line ${lines.linePos(offset).line})`,
  }));
  if (first !== undefined) throw invalid([first, ...rest]);
  return fromJson(StartExperimentRequestSchema, json);
}

function checkedYaml(text: string, fileName: string, lines: LineCounter): unknown {
  const refuse = (description: string) => new InvalidArgument([{ field: fileName, description }]);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > sizeLimitBytes) throw refuse(`is ${sizeBytes} bytes; the limit is ${sizeLimitBytes}`);
  const read = readYaml(text, lines);
  if ("tree" in read) return read.tree;
  throw refuse(read.faults.join("; "));
}
