/** No method sees a request that breaks the rules written in the .proto. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { InvalidArgument, type Violation } from "@pretrain/errors";
import { inspected } from "./call-streams.ts";
import { unknownFields } from "./unknown-fields.ts";

export function validateRequests(): Interceptor {
  const validate = requestValidator();
  return (next) => (request) => {
    if (request.stream) {
      const message = inspected(request.message, (each) => validate(request.method.input, each));
      return next({ ...request, message });
    }
    validate(request.method.input, request.message);
    return next(request);
  };
}

/** @throws InvalidArgument (what is returned) naming every field that is unknown or breaks a rule */
export function requestValidator(): (schema: DescMessage, message: Message) => void {
  const validator = createValidator();
  return (schema, message) => {
    const [first, ...rest] = [...unknownFields(schema, message), ...violationsOf(validator.validate(schema, message))];
    if (first !== undefined) throw new InvalidArgument([first, ...rest]);
  };
}

type Result = ReturnType<ReturnType<typeof createValidator>["validate"]>;

function violationsOf(result: Result): readonly Violation[] {
  if (result.kind === "error") throw result.error; // a rule of ours that cannot be evaluated
  // The path is in the names of the .proto, which are those of recipe files and of grpcurl: `recipe.training.learning_rate`.
  return (result.violations ?? []).map(({ field, message }) => ({ field: pathToString(field), description: message }));
}
