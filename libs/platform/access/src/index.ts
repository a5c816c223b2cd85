/** Who calls, and what that one may do: by a file that says so (docs/adr/0019). */
export { createApiKey, sha256OfApiKey } from "./api-keys.ts";
export type { Caller } from "./caller.ts";
export { expectAllowedSomewhere, type Requirement } from "./expect-allowed.ts";
export { type Grant, type Role, roles } from "./grants.ts";
export { type Access, type Credentials, openAccess } from "./open-access.ts";
