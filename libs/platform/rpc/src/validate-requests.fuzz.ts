import assert from "node:assert/strict";
import { type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DataShardService, EvaluatorService, ReportService, TrainerService } from "@pretrain/proto";
import { type FuzzTarget, filledMessage } from "@pretrain/testing";
import { requestValidator } from "./validate-requests.ts";

const methods: DescMethod[] = [DataShardService, TrainerService, EvaluatorService, ReportService].flatMap(
  (service) => service.methods,
);
const validate = requestValidator();

/** The first byte says which method is called; the request follows. */
export default {
  seeds: () => methods.map(({ input }, number) => Uint8Array.of(number, ...toBinary(input, filledMessage(input)))),
  dictionary: ["experiments/1-4-0", "experiments/-", "../", "\u0008\u00ff\u00ff\u00ff\u00ff\u000f", "\u000a\u0000"],
  take(bytes) {
    const input = (methods[(bytes[0] ?? 0) % methods.length] ?? assert.fail()).input;
    const message = decoded(input, bytes.subarray(1));
    validate(input, message);
    const written = toBinary(input, message);
    assert.deepEqual(toBinary(input, fromBinary(input, written)), written);
  },
  refuses: (thrown) => thrown instanceof NoMessage,
} satisfies FuzzTarget;

/** Connect answers every error of the decoder with INVALID_ARGUMENT. */
class NoMessage extends Error {}

function decoded(input: DescMethod["input"], bytes: Uint8Array) {
  try {
    return fromBinary(input, bytes);
  } catch (cause) {
    throw new NoMessage("no message", { cause });
  }
}
