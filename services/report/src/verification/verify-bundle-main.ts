/**
 * `node verify-bundle-main.ts <folder>`: verifies a bundle without any service and prints the Verification as ProtoJSON. Exit code 0:
 * it holds; 1: it does not; 2: there is no bundle that could be read, and standard error says why.
 */
import { toJsonString } from "@bufbuild/protobuf";
import { messageOf } from "@pretrain/errors";
import { VerificationSchema } from "@pretrain/proto";
import { verifyBundle } from "./verify-bundle.ts";

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined || more.length > 0) {
  process.stderr.write("usage: node verify-bundle-main.ts <folder of a bundle>\n");
  process.exit(2);
}
try {
  const found = await verifyBundle(folder);
  process.stdout.write(`${toJsonString(VerificationSchema, found, { prettySpaces: 1 })}\n`);
  process.exitCode = found.sound ? 0 : 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 2;
}
