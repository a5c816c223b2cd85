/**
 * A folder with three files, named as Kubernetes names them in a secret of type `kubernetes.io/tls`. A certificate lives for weeks, the
 * process for months: the folder is read again every few seconds, and whoever serves or connects takes what is there by then.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { InvalidArgument, messageOf } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";

export const tlsFiles = { certificate: "tls.crt", key: "tls.key", authority: "ca.crt" } as const;

/** Three texts in PEM. */
export interface TlsMaterial {
  /** Of this process: its own, and the intermediate ones behind it. */
  readonly certificate: string;
  readonly key: string;
  /** Whose signature makes others known. */
  readonly authority: string;
}

export interface Tls extends Disposable {
  /** As it is now. */
  readonly material: TlsMaterial;
  /** Called with what the folder holds from then on. */
  onChange(listener: (material: TlsMaterial) => void): void;
}

interface Options {
  readonly log: Log;
  /** Between two looks at the folder, 10 s if not given. */
  readonly lookEveryMs?: number;
}

/**
 * Reads the folder, and goes on reading it. One that cannot be used later on (half of it replaced, a key of another certificate) is told
 * in the log, and what was there before stays in use.
 *
 * @throws InvalidArgument naming the folder and what is wrong with it, when it cannot be used at the start
 */
export function openTls(folder: string, { log, lookEveryMs = 10_000 }: Options): Tls {
  let material = usable(folder);
  const listeners: ((material: TlsMaterial) => void)[] = [];
  const timer = setInterval(() => {
    try {
      const found = usable(folder);
      if (isSame(found, material)) return;
      material = found;
      log.info({ folder, validTo: new X509Certificate(found.certificate).validTo }, "the certificate was replaced");
      for (const listener of listeners) listener(found);
    } catch (error) {
      log.warn({ folder, reason: messageOf(error) }, "the certificate cannot be replaced; the one before stays in use");
    }
  }, lookEveryMs).unref();
  return {
    get material() {
      return material;
    },
    onChange: (listener) => void listeners.push(listener),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** @throws InvalidArgument unless key and certificate belong together and the authority can be read */
function usable(folder: string): TlsMaterial {
  try {
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const [certificate, key, authority] = [tlsFiles.certificate, tlsFiles.key, tlsFiles.authority].map(read) as [
      string,
      string,
      string,
    ];
    createSecureContext({ cert: certificate, key, ca: authority }); // throws where the key is another certificate's
    new X509Certificate(authority);
    return { certificate, key, authority };
  } catch (cause) {
    const files = Object.values(tlsFiles).join(", ");
    const description = `${folder} must hold ${files}, of one identity, in PEM: ${messageOf(cause)}`;
    throw new InvalidArgument([{ field: "PRETRAIN_TLS", description }], { cause });
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.certificate === b.certificate && a.key === b.key && a.authority === b.authority;
}
