/**
 * What must hold before TensorFlow's library is loaded: it is built, and the variables that it reads while loading have their
 * values. A parent sets them for its worker; this sets the rest, so that a test computes as a worker does.
 */
import { existsSync } from "node:fs";
import { FailedPrecondition } from "@pretrain/errors";
import { tensorflowEnvironment } from "./environment.ts";
import { bindingLink } from "./wheel.ts";

if (!existsSync(bindingLink)) {
  throw new FailedPrecondition(
    "TENSORFLOW_NOT_BUILT",
    "native TensorFlow is not built here; run `npm run setup` first",
  );
}
for (const [name, value] of Object.entries(tensorflowEnvironment())) process.env[name] ??= value;
