/** Who is who in a system on one machine that asks: made when it first starts, kept in its state folder, renewed before it runs out. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey, sha256OfApiKey } from "@pretrain/access";
import { tlsFiles } from "@pretrain/tls";
import { accessEntry, addEntry, hasEntry } from "../identities/access-entry.ts";
import { type ProcessName, processNames } from "../identities/process-names.ts";
import { writeWholeFile } from "../written-file.ts";

export interface LocalIdentities {
  /** PRETRAIN_TLS of each. */
  readonly certificates: Readonly<Record<ProcessName, string>>;
  /** PRETRAIN_ACCESS: people may add themselves. */
  readonly accessFile: string;
  /** PRETRAIN_CA of whoever calls. */
  readonly authorityFile: string;
  /** PRETRAIN_API_KEY_FILE of whoever started it: an operator's. */
  readonly keyFile: string;
}

/** A system that runs for longer than this without a new start is renewed by `pretrain certificates renew`. */
const renewBeforeMs = 30 * 24 * 3600 * 1000;
const operator = "operator";

/** @param folder made, for its owner alone, if it is not there @throws FailedPrecondition when what is there cannot be used */
export async function openLocalIdentities(folder: string): Promise<LocalIdentities> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { openKeptAuthority } = await import("../identities/kept-authority.ts"); // its library loads longer than most commands take
  const authority = await openKeptAuthority(folder);
  for (const name of processNames) if (!isGood(join(folder, name))) await authority.issue(join(folder, name), { name });
  const accessFile = join(folder, "access.yaml");
  const keyFile = join(folder, `${operator}.key`);
  // The key first: an entry whose key was lost with the process that drew it would let nobody in.
  if (!existsSync(keyFile)) await writeWholeFile(keyFile, `${createApiKey().key}\n`, { mode: 0o600 });
  const key = (await readFile(keyFile, "utf8")).trim();
  if (!hasEntry(accessFile, operator))
    await addEntry(accessFile, accessEntry(operator, sha256OfApiKey(key), "operator", []));
  const certificates = Object.fromEntries(processNames.map((name) => [name, join(folder, name)]));
  return {
    certificates: certificates as Record<ProcessName, string>,
    accessFile,
    authorityFile: join(folder, "report", tlsFiles.authority),
    keyFile,
  };
}

/** One that a process which died has left half, or with the key of another one, is none. */
function isGood(folder: string): boolean {
  const read = (file: string) => readFileSync(join(folder, file));
  try {
    const certificate = new X509Certificate(read(tlsFiles.certificate));
    const isOwn = certificate.checkPrivateKey(createPrivateKey(read(tlsFiles.key)));
    new X509Certificate(read(tlsFiles.authority));
    return isOwn && certificate.validToDate.getTime() - Date.now() >= renewBeforeMs;
  } catch {
    return false;
  }
}
