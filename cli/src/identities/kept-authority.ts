/** An authority in a folder, `authority/ca.crt` and `authority/ca.key`: whoever can read the key can be anybody. */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FailedPrecondition, messageOf, systemReason } from "@pretrain/errors";
import { type Authority, createAuthority, restoreAuthority } from "@pretrain/tls/authority";
import { writeWholeFile } from "../written-file.ts";

export function authorityFiles(folder: string): { readonly certificate: string; readonly key: string } {
  return { certificate: join(folder, "authority", "ca.crt"), key: join(folder, "authority", "ca.key") };
}

/**
 * The one that is there, or a new one. The certificate is written last: an authority without it has signed nothing, and is made anew.
 * @throws FailedPrecondition when the folder cannot be written, or holds an authority that cannot be used
 */
export async function openKeptAuthority(folder: string): Promise<Authority> {
  const files = authorityFiles(folder);
  if (existsSync(files.certificate)) return await kept(files);
  const authority = await createAuthority();
  await mkdir(join(folder, "authority"), { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new FailedPrecondition("FOLDER_UNWRITABLE", `${folder} ${systemReason(cause)}`, { folder }, { cause });
  });
  await writeWholeFile(files.key, authority.material.key, { mode: 0o600 });
  await writeWholeFile(files.certificate, authority.material.certificate);
  return authority;
}

async function kept(files: ReturnType<typeof authorityFiles>): Promise<Authority> {
  try {
    const [certificate, key] = await Promise.all([readFile(files.certificate, "utf8"), readFile(files.key, "utf8")]);
    const { validToDate } = new X509Certificate(certificate);
    if (validToDate.getTime() > Date.now()) return await restoreAuthority({ certificate, key });
    throw new Error(`it was valid until ${validToDate.toISOString()}`);
  } catch (cause) {
    const message =
      `the authority of ${files.certificate} and ${files.key} cannot be used: ${messageOf(cause)}; ` +
      "move them away, and all certificates are made anew, of a new authority that everybody must be given";
    throw new FailedPrecondition("AUTHORITY_UNUSABLE", message, files, { cause });
  }
}
