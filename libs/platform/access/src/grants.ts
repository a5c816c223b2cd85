/** What a person was given: a role, and the resources that it is for. */

/** Each may what those before it may. */
export const roles = ["viewer", "researcher", "operator"] as const;

export type Role = (typeof roles)[number];

export interface Grant {
  readonly role: Role;
  /** Such as `experiments/ada-*` or `datasets/*`: a name, all below it too, or all names with that beginning. Undefined: everything. */
  readonly resources?: readonly string[] | undefined;
}

/** `*` stands at the end and nowhere else: what is meant can be read without rules. */
export const resourcePattern = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,255}\*?$/;

/** @param resource undefined: the installation as a whole, which only a grant for everything covers */
export function covers(grant: Grant, role: Role, resource: string | undefined): boolean {
  if (!reaches(grant, role)) return false;
  if (grant.resources === undefined) return true;
  return resource !== undefined && grant.resources.some((pattern) => matches(pattern, resource));
}

/** Whether it gives the role for anything at all. */
export function reaches(grant: Grant, role: Role): boolean {
  return roles.indexOf(grant.role) >= roles.indexOf(role);
}

function matches(pattern: string, resource: string): boolean {
  if (pattern.endsWith("*")) return resource.startsWith(pattern.slice(0, -1));
  return resource === pattern || resource.startsWith(`${pattern}/`);
}
