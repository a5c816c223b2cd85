/** The decision: may this one do that. */
import { PermissionDenied } from "@pretrain/errors";
import type { Caller } from "./caller.ts";
import { covers, type Role, reaches } from "./grants.ts";

/** What it takes to do something. */
export interface Requirement {
  /** The least one, of a person. */
  readonly role: Role;
  /** What it is done to, by its canonical name. None: the installation as a whole. */
  readonly resource?: string | undefined;
  /** Processes that may do it; none if not given. */
  readonly processes?: readonly string[] | undefined;
}

/** @throws PermissionDenied ROLE_MISSING, PROCESS_NOT_ALLOWED: naming the role and the resource that it would take */
export function expectAllowed(caller: Caller, { role, resource, processes = [] }: Requirement): void {
  if (caller.kind === "process") {
    if (processes.includes(caller.name)) return;
    const message = `the process "${caller.name}" has no business here; ${whoMay(role, processes)}`;
    throw new PermissionDenied("PROCESS_NOT_ALLOWED", message, { caller: caller.name, role });
  }
  if (caller.grants.some((grant) => covers(grant, role, resource))) return;
  const where = resource ?? "the whole installation";
  const message = `"${caller.name}" is no ${role} of ${where}; who keeps the access file can make you one`;
  throw new PermissionDenied("ROLE_MISSING", message, { caller: caller.name, role, resource: resource ?? "" });
}

/**
 * Whether any resource could make it allowed: a request that none could need not be read.
 *
 * @throws PermissionDenied as `expectAllowed` does
 */
export function expectAllowedSomewhere(caller: Caller, { role, processes }: Requirement): void {
  if (caller.kind === "person" && caller.grants.some((grant) => reaches(grant, role))) return;
  expectAllowed(caller, { role, processes });
}

function whoMay(role: Role, processes: readonly string[]): string {
  const people = `a person with the role ${role} may`;
  return processes.length === 0 ? people : `${people}, and of processes ${processes.join(", ")}`;
}
