/** Test support: people who may look at the page, by an access file of theirs. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApiKey, type Grant, openAccess } from "@pretrain/access";
import { createLog } from "@pretrain/observability";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import type { PageAccess } from "../page/access/page-access.ts";

export interface PagePeople<Name extends string> {
  readonly pageAccess: PageAccess;
  readonly keys: Readonly<Record<Name, string>>;
  /** The clock of sessions goes on. */
  readonly wait: (ms: number) => void;
  /** Is taken out of the file, which is read again soon. */
  readonly remove: (name: Name) => void;
}

/** @param people what each may do */
export async function peopleOf<Name extends string>(
  t: TestScope,
  people: Readonly<Record<Name, readonly Grant[]>>,
): Promise<PagePeople<Name>> {
  const file = join(temporaryDirectory(t), "access.yaml");
  const names = Object.keys(people) as Name[];
  const drawn = new Map(names.map((name) => [name, createApiKey()]));
  const write = () => {
    const callers = [...drawn].map(([name, { sha256 }]) => ({ name, key_sha256: sha256, roles: people[name] }));
    writeFileSync(file, JSON.stringify({ callers }));
  };
  write();
  const access = await openAccess(file, { log: createLog("access", "fatal"), lookEveryMs: 10 });
  t.after(() => access[Symbol.dispose]());
  let nowMs = Date.UTC(2026, 10, 26);
  return {
    pageAccess: { access, sessionKey: randomBytes(32), now: () => new Date(nowMs) },
    keys: Object.fromEntries([...drawn].map(([name, { key }]) => [name, key])) as Record<Name, string>,
    wait: (ms) => {
      nowMs += ms;
    },
    remove: (name) => {
      drawn.delete(name);
      write();
    },
  };
}
