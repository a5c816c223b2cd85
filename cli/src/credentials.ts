/** By what the services know whoever types a command, and by what the command knows the services: options, variables, files. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { InvalidArgument, systemReason } from "@pretrain/errors";
import type { ClientOptions } from "@pretrain/rpc";
import { tlsFiles } from "@pretrain/tls";
import { type Command, Option } from "commander";
import type { Terminal } from "./terminal/terminal.ts";

export interface CredentialOptions {
  /** File of the authorities that are believed. */
  readonly ca?: string;
  /** Folder of a certificate of one's own, for programs that are known by it. */
  readonly tls?: string;
  readonly apiKeyFile?: string;
  /** From the environment alone: what is typed can be read by everybody on the machine. */
  readonly apiKey?: string;
}

const limitBytes = 1024 * 1024;

/** What is typed comes first; then the key in the environment, then the file that it names. */
export function addCredentialOptions(command: Command, { environment }: Terminal): void {
  const { PRETRAIN_CA: ca, PRETRAIN_TLS: tls, PRETRAIN_API_KEY: key, PRETRAIN_API_KEY_FILE: keyFile } = environment;
  const option = (flags: string, description: string, value: string | undefined) =>
    command.addOption(new Option(flags, description).default(value || undefined));
  option("--ca <file>", "speak TLS, and believe the authorities in this file; or PRETRAIN_CA", ca);
  option("--tls <folder>", "speak TLS, and show the certificate in this folder; or PRETRAIN_TLS", tls);
  option("--api-key-file <file>", "file with your key; or PRETRAIN_API_KEY_FILE", key ? undefined : keyFile);
  if (key) command.setOptionValueWithSource("apiKey", key, "env");
}

/** @param address as it was given: `host:port`, or `https://host:port` for TLS with whatever authorities the system knows */
export function isSecured(address: string, { ca, tls }: CredentialOptions): boolean {
  return address.startsWith("https://") || ca !== undefined || tls !== undefined;
}

/**
 * What a client shows and believes.
 * @throws InvalidArgument for a file that cannot be read, and for a key that would leave this machine without TLS
 */
export function credentialsFor(
  address: string,
  options: CredentialOptions,
): Pick<ClientOptions, "tls" | "authorization"> {
  const key = keyOf(options);
  const secured = isSecured(address, options);
  if (key !== undefined && !secured && !/^(localhost|127\.[0-9.]+|\[::1\]):/.test(address)) {
    const description = `is not sent to ${address}: without TLS whoever is between reads it; give --ca, or https://${address}`;
    throw fault("key", description);
  }
  return {
    ...(secured && { tls: { material: materialOf(options) } }),
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
}

/** The key that is shown; undefined: none. @throws InvalidArgument when its file cannot be read, or holds no key */
export function keyOf({ apiKey, apiKeyFile }: CredentialOptions): string | undefined {
  if (apiKeyFile === undefined) return apiKey;
  const key = read(apiKeyFile, "--api-key-file or PRETRAIN_API_KEY_FILE").trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw fault("--api-key-file or PRETRAIN_API_KEY_FILE", `${apiKeyFile} holds no key: one word is expected`);
}

/** Texts in PEM, of the certificate and the authorities that were named. */
export function materialOf({ ca, tls }: CredentialOptions) {
  const own = (name: string) => read(join(tls ?? "", name), "--tls or PRETRAIN_TLS");
  const believed = () => (tls === undefined ? getCACertificates("default").join("\n") : own(tlsFiles.authority));
  return {
    authority: ca === undefined ? believed() : read(ca, "--ca or PRETRAIN_CA"),
    ...(tls !== undefined && { certificate: own(tlsFiles.certificate), key: own(tlsFiles.key) }),
  };
}

function read(file: string, field: string): string {
  try {
    if (statSync(file).size > limitBytes) throw fault(field, `${file} has more than ${limitBytes} bytes`);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof InvalidArgument) throw error;
    throw fault(field, `${file} ${systemReason(error)}`, error);
  }
}

function fault(field: string, description: string, cause?: unknown): InvalidArgument {
  return new InvalidArgument([{ field, description }], { cause });
}
