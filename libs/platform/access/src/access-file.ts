/**
 * The file that says who may do what (`PRETRAIN_ACCESS`), in YAML:
 *
 *     callers:
 *       - name: ada
 *         key_sha256: 9f86d081…
 *         roles: [{ role: viewer }, { role: researcher, resources: ["experiments/ada-*", "datasets/*"] }]
 *     issuers:
 *       - issuer: https://login.example.org
 *         audience: pretrain
 *         jwks_url: https://login.example.org/keys
 *         name_claim: email
 *         roles_claim: groups
 *         roles: { ml-team: [{ role: viewer }], ml-admins: [{ role: operator }] }
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { readYaml } from "@pretrain/bounded-yaml";
import { InvalidArgument, messageOf, type Violation } from "@pretrain/errors";
import type { JSONWebKeySet } from "jose";
import * as v from "valibot";
import { LineCounter } from "yaml";
import { accessSchema, type IssuerText, keySet } from "./access-schema.ts";
import type { Grant } from "./grants.ts";

const variable = "PRETRAIN_ACCESS";
const maximumBytes = 1024 * 1024;

export interface KeyHolder {
  readonly name: string;
  readonly keySha256: Buffer;
  readonly grants: readonly Grant[];
}

export interface IssuerEntry {
  readonly issuer: string;
  readonly audience: string;
  /** Its public keys, or where they are. */
  readonly keys: JSONWebKeySet | URL;
  readonly nameClaim: string;
  readonly rolesClaim: string;
  readonly roles: Readonly<Record<string, readonly Grant[]>>;
}

export interface AccessFile {
  readonly holders: readonly KeyHolder[];
  readonly issuers: readonly IssuerEntry[];
  /** All that was read, by its place: the same texts mean the same rights. */
  readonly texts: ReadonlyMap<string, string>;
}

/** @throws InvalidArgument naming the file, and every place in it that is faulty */
export function readAccessFile(path: string): AccessFile {
  const content = read(path, path);
  const lines = new LineCounter();
  const document = readYaml(content, lines);
  if ("faults" in document) throw faulty(path, document.faults);
  const result = v.safeParse(accessSchema, plainValue(path, document.value));
  if (!result.success) throw faulty(path, result.issues.map(placed));
  const { callers, issuers } = result.output;
  const repeated = [
    ...repeatedIn(
      "callers",
      "name",
      callers.map(({ name }) => name),
    ),
    ...repeatedIn(
      "callers",
      "key_sha256",
      callers.map(({ key_sha256 }) => key_sha256),
    ),
    ...repeatedIn(
      "issuers",
      "issuer",
      issuers.map(({ issuer }) => issuer),
    ),
  ];
  if (repeated.length > 0) throw faulty(path, repeated);
  const texts = new Map([[path, content]]);
  const entries = issuers.map((each, index) => {
    const keys = keysOf(path, index, each, texts);
    const { issuer, audience, name_claim: nameClaim, roles_claim: rolesClaim } = each;
    return { issuer, audience, keys, nameClaim, rolesClaim, roles: each.roles };
  });
  const holders = callers.map(({ name, key_sha256: sha256, roles: given }) => ({
    name,
    keySha256: Buffer.from(sha256, "hex"),
    grants: given,
  }));
  return { holders, issuers: entries, texts };
}

/** @throws InvalidArgument when one of its files cannot be read any more */
export function isUnchanged({ texts }: AccessFile): boolean {
  return [...texts].every(([path, text]) => read(path, path) === text);
}

function keysOf(path: string, index: number, issuer: IssuerText, texts: Map<string, string>): JSONWebKeySet | URL {
  const { jwks_file: file, jwks_url: url } = issuer;
  const place = `issuers[${index}]`;
  if ((file === undefined) === (url === undefined)) {
    throw faulty(path, [`${place}: one of jwks_file and jwks_url is expected`]);
  }
  if (url !== undefined) return new URL(url);
  const keysPath = resolve(dirname(path), file ?? "");
  const keysText = read(path, keysPath);
  texts.set(keysPath, keysText);
  const result = v.safeParse(
    keySet,
    plainValue(path, () => JSON.parse(keysText) as unknown),
  );
  if (result.success) return result.output as JSONWebKeySet;
  throw faulty(path, [
    `${place}.jwks_file: ${keysPath} is no set of keys (RFC 7517): ${result.issues.map(placed).join("; ")}`,
  ]);
}

function read(accessFile: string, path: string): string {
  try {
    if (statSync(path).size > maximumBytes) throw new Error(`is larger than ${maximumBytes} bytes`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw faulty(accessFile, [`${path} cannot be read: ${messageOf(cause)}`], cause);
  }
}

function plainValue(path: string, parse: () => unknown): unknown {
  try {
    return parse();
  } catch (cause) {
    throw faulty(path, [messageOf(cause)], cause);
  }
}

function placed(issue: v.BaseIssue<unknown>): string {
  const keys = issue.path?.map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)) ?? [];
  return `${keys.join("").replace(/^\./, "")}: ${issue.message}`;
}

function repeatedIn(list: string, field: string, values: readonly string[]): readonly string[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return first === index ? [] : [`${list}[${index}].${field}: is the one of ${list}[${first}]`];
  });
}

function faulty(path: string, faults: readonly string[], cause?: unknown): InvalidArgument {
  const violations = faults.map((fault): Violation => ({ field: variable, description: `${path}: ${fault}` }));
  return new InvalidArgument(violations as [Violation, ...Violation[]], { cause });
}
