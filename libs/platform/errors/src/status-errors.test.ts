import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DataLoss,
  errorOfStatus,
  hasErrorCode,
  InvalidArgument,
  messageOf,
  NotFound,
  PermissionDenied,
  systemReason,
  Unauthenticated,
  type Violation,
} from "./index.ts";

test("an invalid argument names every faulty field in one message", () => {
  const error = new InvalidArgument([
    { field: "recipe.model.dim", description: "must be divisible by n_heads" },
    { field: "recipe.training.learning_rate", description: "must be positive" },
  ]);
  assert.equal(error.status, "INVALID_ARGUMENT");
  assert.equal(
    error.message,
    "recipe.model.dim: must be divisible by n_heads; recipe.training.learning_rate: must be positive",
  );
  assert.equal(error.violations.length, 2);
});

test("causes are shown behind the message, to the first one", () => {
  const disk = Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC" });
  const lost = new DataLoss("DIGEST_MISMATCH", "model: SHA-256 differs", { part: "model" }, { cause: disk });
  assert.equal(messageOf(lost), "model: SHA-256 differs (because: ENOSPC: no space)");
  assert.equal(`/data ${systemReason(disk)}`, "/data cannot be written: the disk is full");
  assert.ok(hasErrorCode(disk, "ENOSPC") && !hasErrorCode(disk, "ENOENT") && !hasErrorCode("ENOSPC", "ENOSPC"));
});

test("an error that crossed a process is of the class that was thrown, with all that it said", () => {
  const sent = new InvalidArgument([{ field: "recipe.model.dim", description: "must be even" }]);
  const { status, reason, message, metadata, violations } = sent;
  const received = errorOfStatus(status, reason, message, metadata, { violations });
  assert.ok(received instanceof InvalidArgument);
  assert.deepEqual([received.reason, received.message, received.violations], [reason, message, violations]);
  const named = {
    reason: "UNSUPPORTED_NUMBER",
    message: "77.9 % is none; write another",
    metadata: { number: "77.9 %" },
  };
  const special = new InvalidArgument(sent.violations as [Violation], named);
  const back = errorOfStatus(special.status, special.reason, special.message, special.metadata, special);
  assert.deepEqual([back.reason, back.message, back.metadata], [named.reason, named.message, named.metadata]);
  const missing = errorOfStatus("NOT_FOUND", "NO_SUCH", "there is none", { name: "a" }, { violations: [] });
  assert.ok(missing instanceof NotFound);
  assert.deepEqual([missing.reason, missing.message, missing.metadata], ["NO_SUCH", "there is none", { name: "a" }]);
  const denied = errorOfStatus("PERMISSION_DENIED", "ROLE_MISSING", "may not", {}, { violations: [] });
  assert.ok(denied instanceof PermissionDenied && !(denied instanceof Unauthenticated));
  assert.equal(errorOfStatus("INVALID_ARGUMENT", "X", "no field", {}, { violations: [] }).message, "no field");
});

test("given faults without end in what a stranger has sent, an error stays short and says how many it leaves out", () => {
  const fault: Violation = { field: "f".repeat(10_000), description: "[".repeat(100_000) };
  const many = new InvalidArgument([fault, ...Array<Violation>(99_999).fill({ field: "a", description: "is bad" })]);
  assert.equal(many.message.length, 4001);
  assert.equal(many.violations.length, 64);
  assert.deepEqual(many.violations[0], { field: `${"f".repeat(200)}…`, description: `${"[".repeat(300)}…` });
  const short = Array<Violation>(72).fill({ field: "a", description: "is bad" });
  assert.match(new InvalidArgument(short as [Violation]).message, /a: is bad; and 8 more$/);
  assert.equal(new NotFound("NO_SUCH", `${"x".repeat(3999)}😀`).message, `${"x".repeat(3999)}\ufffd…`);
});
