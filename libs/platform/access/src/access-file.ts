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
import { type Grant, resourcePattern, roles } from "./grants.ts";

const variable = "PRETRAIN_ACCESS";
const maximumBytes = 1024 * 1024;
const maximumEntries = 1000;

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
  /** All that was read: the same text means the same rights. */
  readonly text: string;
}

const grant = v.strictObject({
  role: v.picklist(roles, `a role is one of ${roles.join(", ")}`),
  resources: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string("a name is expected, such as experiments/ada-*"),
          v.regex(resourcePattern, "a name is expected, such as experiments/ada-*: `*` may stand at its end only"),
        ),
      ),
      v.minLength(1, "names nothing; leave it out to mean everything"),
      v.maxLength(maximumEntries, `at most ${maximumEntries} are read`),
    ),
  ),
});
const grants = v.pipe(v.array(grant), v.maxLength(100, "at most 100 grants are read"));
const callerName = v.pipe(
  v.string("a name is expected"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/, "letters, digits, `.`, `_`, `@`, `-` are expected, 128 at most"),
);
const text = v.pipe(v.string("text is expected"), v.minLength(1, "is empty"), v.maxLength(2048, "is too long"));

const schema = v.strictObject({
  callers: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          name: callerName,
          key_sha256: v.pipe(
            v.string("64 hexadecimal digits are expected"),
            v.regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits are expected, as `pretrain keys` writes them"),
          ),
          roles: grants,
        }),
      ),
      v.maxLength(maximumEntries, `at most ${maximumEntries} are read`),
    ),
    [],
  ),
  issuers: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          issuer: text,
          audience: text,
          jwks_file: v.optional(text),
          jwks_url: v.optional(
            v.pipe(
              text,
              v.check((url) => URL.canParse(url) && new URL(url).protocol === "https:", "https://… is expected"),
            ),
          ),
          name_claim: text,
          roles_claim: text,
          roles: v.record(text, grants),
        }),
      ),
      v.maxLength(20, "at most 20 are read"),
    ),
    [],
  ),
});

/** @throws InvalidArgument naming the file, and every place in it that is faulty */
export function readAccessFile(path: string): AccessFile {
  const content = read(path, path);
  const lines = new LineCounter();
  const document = readYaml(content, lines);
  if ("faults" in document) throw faulty(path, document.faults);
  const result = v.safeParse(schema, plainValue(path, document.value));
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
  const texts = [content];
  const entries = issuers.map((each, index) => {
    const { keys, text: keysText } = keysOf(path, index, each);
    texts.push(keysText);
    const { issuer, audience, name_claim: nameClaim, roles_claim: rolesClaim } = each;
    return { issuer, audience, keys, nameClaim, rolesClaim, roles: each.roles };
  });
  const holders = callers.map(({ name, key_sha256: sha256, roles: given }) => ({
    name,
    keySha256: Buffer.from(sha256, "hex"),
    grants: given,
  }));
  return { holders, issuers: entries, text: texts.join("\0") };
}

type IssuerText = v.InferOutput<typeof schema>["issuers"][number];

const jwks = v.looseObject({ keys: v.pipe(v.array(v.looseObject({ kty: v.string() })), v.minLength(1)) });

function keysOf(path: string, index: number, { jwks_file: file, jwks_url: url }: IssuerText) {
  const place = `issuers[${index}]`;
  if ((file === undefined) === (url === undefined)) {
    throw faulty(path, [`${place}: one of jwks_file and jwks_url is expected`]);
  }
  if (url !== undefined) return { keys: new URL(url), text: "" };
  const keysPath = resolve(dirname(path), file ?? "");
  const keysText = read(path, keysPath);
  const result = v.safeParse(
    jwks,
    plainValue(path, () => JSON.parse(keysText) as unknown),
  );
  if (result.success) return { keys: result.output as JSONWebKeySet, text: keysText };
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
