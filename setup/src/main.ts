/**
 * Makes a fresh checkout runnable: `npm start` and `npm test` run this first. Everything lands inside the checkout, verified by
 * checksum; what is there already is not made again, and then nothing is printed.
 *
 *     node setup/src/main.ts               what the program needs
 *     node setup/src/main.ts --for=tests   and grpcurl and an S3 server, which only tests call
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { messageOf, PretrainError } from "@pretrain/errors";
import { fusedKernelsLibrary } from "@pretrain/fused-kernels/build";
import { ensureNatsServer } from "@pretrain/nats-server";
import { ensureS3Server } from "@pretrain/s3-server";
import { tensorGraphLibrary } from "@pretrain/tensor-graph/build";
import { ensureTensorFlow } from "@pretrain/tensorflow-native/build";
import { ensureNativeLibrary } from "@pretrain/tensorflow-native/native-library";
import { ensureGeneratedContracts } from "./generated-contracts.ts";
import { ensureGrpcurl } from "./grpcurl.ts";
import { perform, printFailure } from "./perform.ts";

const { values } = parseArgs({ options: { for: { type: "string" } } });
try {
  // The contracts first: a fault in a .proto is found in a second, before half a minute of download and compilation.
  await perform("contracts as TypeScript", ensureGeneratedContracts);
  await perform("nats-server", ensureNatsServer);
  await perform("native TensorFlow", ensureTensorFlow);
  await perform("the graph addon", (started) => ensureNativeLibrary(tensorGraphLibrary, started));
  const kernels = fusedKernelsLibrary(readFileSync("/proc/cpuinfo", "utf8")); // none for processors without AVX2
  if (kernels !== undefined) await perform("fused kernels", (started) => ensureNativeLibrary(kernels, started));
} catch (error) {
  if (!(error instanceof PretrainError)) throw error; // a fault of the set-up itself, with its stack
  printFailure("set-up failed", messageOf(error));
  process.exitCode = 1;
}

if (values.for === "tests") {
  try {
    await perform("grpcurl, for tests", ensureGrpcurl);
  } catch (error) {
    printFailure("without grpcurl the tests that call it are skipped", messageOf(error));
  }
  try {
    await perform("an S3 server, for tests", ensureS3Server);
  } catch (error) {
    printFailure("without an S3 server the tests of s3:// are skipped", messageOf(error));
  }
}
