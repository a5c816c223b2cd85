/** A request as a recipe file: what `parseExperimentFile` reads, written for a person to change. */
import { toJson } from "@bufbuild/protobuf";
import { type StartExperimentRequest, StartExperimentRequestSchema } from "@pretrain/proto";
import { stringify } from "yaml";

/** YAML with the names of the .proto files; read again it is the same request. */
export function experimentFileText(request: StartExperimentRequest): string {
  return stringify(toJson(StartExperimentRequestSchema, request, { useProtoFieldName: true }), { lineWidth: 0 });
}
