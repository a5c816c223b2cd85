/**
 * A small certificate authority: for a set-up without one of its own, and for tests. On a cluster cert-manager does this.
 */
import "reflect-metadata"; // must stay before the library, which looks for it
import { webcrypto } from "node:crypto";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { tlsFiles } from "./open-tls.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 24 * 3600 * 1000;
/** Clocks of two machines differ. */
const beforeNowMs = 300_000;

export interface IssueOptions {
  /** Common name: the identity, `trainer-worker` for one. */
  readonly name: string;
  /** What it may be called by: host names and IP addresses. Its name and those of this machine if not given. */
  readonly hosts?: readonly string[];
  readonly validDays?: number;
}

/** In PEM. Whoever has the key can be anybody. */
export interface AuthorityMaterial {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface Authority {
  /** In PEM. */
  readonly certificate: string;
  /** By which `restoreAuthority` makes it again. */
  readonly material: AuthorityMaterial;
  /** Writes tls.crt, tls.key and ca.crt into a folder, the key readable by its owner only; makes the folder. */
  issue(folder: string, options: IssueOptions): Promise<void>;
}

/** A new one. What `material` it is made of is kept, or lost with this process: then what is to be issued is issued now. */
export async function createAuthority(name = "pretrain", validDays = 3650): Promise<Authority> {
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(validDays),
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return restoreAuthority({ certificate: root.toString("pem"), key: await keyInPem(keys.privateKey) });
}

/** One whose material was kept. @throws DOMException for a key that is none */
export async function restoreAuthority(material: AuthorityMaterial): Promise<Authority> {
  const root = new x509.X509Certificate(material.certificate);
  const [key = new ArrayBuffer(0)] = x509.PemConverter.decode(material.key);
  const signingKey = await webcrypto.subtle.importKey("pkcs8", key, algorithm, false, ["sign"]);
  return {
    certificate: material.certificate,
    material,
    async issue(folder, { name: identity, hosts = [identity, "localhost", "127.0.0.1", "::1"], validDays: days = 90 }) {
      const own = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        ...validity(days),
        subject: `CN=${identity}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension(hosts.map(alternativeName)),
        ],
      });
      await mkdir(folder, { recursive: true });
      await replaceFiles(folder, {
        [tlsFiles.key]: await keyInPem(own.privateKey),
        [tlsFiles.certificate]: certificate.toString("pem"),
        [tlsFiles.authority]: material.certificate,
      });
    },
  };
}

async function keyInPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/**
 * All are written before the first takes its place, so that whoever reads the folder finds them of one identity but for a moment. A process
 * that dies in that moment leaves a key beside another one's certificate: it is refused by name, and made anew.
 */
async function replaceFiles(folder: string, contents: Readonly<Record<string, string>>): Promise<void> {
  const partial = (name: string) => join(folder, `.${name}.partial`);
  for (const [name, content] of Object.entries(contents)) {
    await using opened = await open(partial(name), "w", 0o600);
    await opened.writeFile(content);
    if (name !== tlsFiles.key) await opened.chmod(0o644);
    await opened.sync();
  }
  for (const name of Object.keys(contents)) await rename(partial(name), join(folder, name));
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function validity(days: number) {
  const now = Date.now();
  return { notBefore: new Date(now - beforeNowMs), notAfter: new Date(now + days * dayMs) };
}

function alternativeName(host: string): x509.JsonGeneralName {
  return /^[0-9.]+$|:/.test(host) ? { type: "ip", value: host } : { type: "dns", value: host };
}
