/**
 * Whether the contracts can still be read by those who were built with the ones on the branch `main`. Without that branch (a
 * shallow clone, an unpacked archive), or before it had contracts, there is nobody to break.
 */
import { checkout, type Outcome, runProgram } from "./checkout.ts";

/** @returns exit code 0 if nothing breaks, else 100 and the breaks with file and line */
export async function checkBreaking(repository = checkout): Promise<Outcome> {
  for (const branch of ["refs/heads/main", "refs/remotes/origin/main"]) {
    const commit = await commitWithContracts(branch, repository);
    if (commit !== undefined) return runProgram("buf", ["breaking", "--against", `.git#ref=${commit}`], repository);
  }
  return { code: 0, output: "" };
}

async function commitWithContracts(branch: string, repository: string): Promise<string | undefined> {
  const resolved = await runProgram("git", ["rev-parse", "--verify", "--quiet", branch], repository);
  if (resolved.code !== 0) return undefined;
  const commit = resolved.output.trim();
  const contracts = await runProgram("git", ["cat-file", "-e", `${commit}:proto/pretrain`], repository);
  return contracts.code === 0 ? commit : undefined;
}
