/** Entries of the access file (docs/adr/0019): written into it without disturbing what people wrote there, comments included. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { openAccess, type Role } from "@pretrain/access";
import { FailedPrecondition, messageOf } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { type Document, isMap, isSeq, parseDocument, stringify, type YAMLMap } from "yaml";
import { writeWholeFile } from "../written-file.ts";

export interface AccessEntry {
  readonly name: string;
  readonly key_sha256: string;
  readonly roles: readonly { readonly role: Role; readonly resources?: readonly string[] }[];
}

/** Whoever may change something somewhere may read everything: without that there would be no list to find it in. */
export function accessEntry(name: string, sha256: string, role: Role, resources: readonly string[]): AccessEntry {
  const granted = resources.length === 0 ? { role } : { role, resources };
  const reads = role !== "viewer" && resources.length > 0 ? ([{ role: "viewer" }] as const) : [];
  return { name, key_sha256: sha256, roles: [...reads, granted] };
}

/** The entry as it stands in the file. */
export function entryText(entry: AccessEntry): string {
  return stringify({ callers: [entry] }, { lineWidth: 0 });
}

/** Whether the file, if there is one, has an entry of that name. @throws FailedPrecondition when it is no YAML */
export function hasEntry(file: string, name: string): boolean {
  return existsSync(file) && callerNamed(documentIn(file, readFileSync(file, "utf8")), name) !== undefined;
}

/** Adds the entry; makes the file if there is none. @throws FailedPrecondition when the name is there already */
export async function addEntry(file: string, entry: AccessEntry): Promise<void> {
  await changeFile(file, (document) => {
    if (callerNamed(document, entry.name) !== undefined) {
      const message = `${file} has an entry for ${entry.name}; "pretrain keys renew" gives it another key`;
      throw new FailedPrecondition("ENTRY_THERE", message, { file, name: entry.name });
    }
    if (document.contents === null || !document.has("callers")) document.set("callers", document.createNode([]));
    document.addIn(["callers"], document.createNode(entry));
  });
}

/** Another key for an entry, which keeps its roles: the one before counts no more. @throws FailedPrecondition when there is none */
export async function replaceKey(file: string, name: string, sha256: string): Promise<void> {
  await changeFile(file, (document) => {
    const caller = callerNamed(document, name);
    if (caller !== undefined) return caller.set("key_sha256", sha256);
    const message = `${file} has no entry for ${name}; "pretrain keys create" makes one`;
    throw new FailedPrecondition("ENTRY_MISSING", message, { file, name });
  });
}

function callerNamed(document: Document, name: string): YAMLMap | undefined {
  const callers = document.contents === null ? undefined : document.get("callers");
  if (!isSeq(callers)) return undefined;
  return callers.items.find((item): item is YAMLMap => isMap(item) && item.get("name") === name);
}

function documentIn(file: string, text: string): Document {
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken === undefined) return document;
  throw new FailedPrecondition("ACCESS_FILE_FAULTY", `${file}: ${messageOf(broken)}`, { file }, { cause: broken });
}

/** What comes out is read as a service reads it before it takes the place of what was there. */
async function changeFile(file: string, change: (document: Document) => void): Promise<void> {
  const before = existsSync(file) ? { text: readFileSync(file, "utf8"), mode: statSync(file).mode & 0o777 } : undefined;
  const document = documentIn(file, before?.text ?? "");
  change(document);
  const log = createLog("keys", "fatal");
  const check = async (partial: string) => (await openAccess(partial, { log }))[Symbol.dispose]();
  await writeWholeFile(file, document.toString({ lineWidth: 0 }), { mode: before?.mode ?? 0o640, check });
}
