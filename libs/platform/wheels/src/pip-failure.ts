/** What pip's output means to the person who runs the set-up: one sentence with what to do. */
import { DataLoss, FailedPrecondition, type PretrainError, ResourceExhausted, Unavailable } from "@pretrain/errors";

/** @param output all that pip (or the extraction after it) printed before it ended with a failure */
export function pipFailure(
  { requirement, sha256 }: { requirement: string; sha256: string },
  output: string,
): PretrainError {
  const known = [
    [
      /No module named '?pip/,
      () =>
        new FailedPrecondition("PIP_MISSING", `python3 has no pip, which fetches ${requirement}; install pip for it`),
    ],
    [/DO NOT MATCH THE HASHES/, () => differentDigest(requirement, sha256, output)],
    [
      /No space left on device|Errno 28/,
      () =>
        new ResourceExhausted("DISK_FULL", `the disk became full while ${requirement} was fetched; free some space`),
    ],
    [
      // pip also ends with "No matching distribution found" if it reached no index at all: so this comes before that
      /connection broken by|Could not fetch URL|Read timed out|Connection (aborted|reset|refused)|Network is unreachable/,
      () => unreachable(requirement, output),
    ],
    [
      /No matching distribution found/,
      () => new FailedPrecondition("WHEEL_NOT_OFFERED", `the registry that pip asks does not offer ${requirement}`),
    ],
  ] as const;
  for (const [pattern, failure] of known) if (pattern.test(output)) return failure();
  return new FailedPrecondition("PIP_FAILED", `${requirement} could not be fetched: ${lastLine(output)}`);
}

function differentDigest(requirement: string, expected: string, output: string): DataLoss {
  const found = /Got\s+([0-9a-f]{64})/.exec(output)?.[1] ?? "another";
  const message = `${requirement}: SHA-256 of the download is ${found}, expected ${expected}; it was not used`;
  return new DataLoss("WHEEL_DIGEST", message, { found, expected });
}

function unreachable(requirement: string, output: string): Unavailable {
  const message = `the registry that pip asks did not answer, so ${requirement} could not be fetched; check the network and pip's settings`;
  return new Unavailable("REGISTRY_UNREACHABLE", message, { pip: lastLine(output) });
}

function lastLine(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  return (
    lines.findLast((line) => line.startsWith("ERROR:")) ??
    lines.findLast((line) => line !== "") ??
    "no message"
  ).slice(0, 300);
}
