/** One server with every contract, whose methods do nothing, behind real TLS and a real access file: what is tested is who comes in. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, type DescService } from "@bufbuild/protobuf";
import { type Caller, createApiKey, openAccess } from "@pretrain/access";
import type { Log } from "@pretrain/observability";
import { DataShardService, EvaluatorService, ReportService, TrainerService } from "@pretrain/proto";
import { type TestScope, temporaryDirectory } from "@pretrain/testing";
import { openTls } from "@pretrain/tls";
import { createAuthority } from "@pretrain/tls/authority";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import type { Limits } from "../caller-limits.ts";
import { callerOf, serveGrpc, service } from "../index.ts";
import type { CallContext, Methods } from "../served-service.ts";

export const contracts = [DataShardService, TrainerService, EvaluatorService, ReportService];

export const processNames = [
  "data-shard",
  "trainer",
  "trainer-worker",
  "evaluator",
  "evaluator-worker",
  "report",
  "viewer",
] as const;

/** Who holds a key, with what the access file gives. */
const holders = {
  viewer: "[{ role: viewer }]",
  researcher: "[{ role: researcher }]",
  ada: `[{ role: researcher, resources: ["experiments/ada-*", "datasets/ada-*", "evaluations/ada-*", "exports/ada-*", "imports/ada"] }]`,
  bob: `[{ role: viewer, resources: ["experiments/*"] }, { role: researcher, resources: ["experiments/bob-*", "experiments/exp*"] }]`,
  operator: "[{ role: operator }]",
  guest: "[]",
};

export type Person = keyof typeof holders;

const issuer = "https://login.example";

/** @returns the server, and what each of its callers shows */
export async function startGuardedServer(scope: TestScope, log: Log, limits?: Limits) {
  const folder = temporaryDirectory(scope);
  const keys = Object.fromEntries(Object.keys(holders).map((name) => [name, createApiKey()]));
  const callers = Object.entries(holders).map(
    ([name, roles]) => `  - { name: ${name}, key_sha256: "${keys[name]?.sha256}", roles: ${roles} }`,
  );
  const tokens = await issuedTokens(folder);
  writeFileSync(join(folder, "access.yaml"), ["callers:", ...callers, issuers].join("\n"));
  const access = await openAccess(join(folder, "access.yaml"), { log });
  const certificates = await issuedCertificates(join(folder, "tls"));
  const tls = openTls(join(folder, "tls", "trainer"), { log, lookEveryMs: 10 });
  const seen: (Caller | undefined)[] = [];
  const server = await serveGrpc({
    address: "127.0.0.1:0",
    healthAddress: "127.0.0.1:0",
    services: contracts.map((contract) => seeingCallers(contract, seen)),
    tls,
    access,
    ...(limits && { limits }),
    log,
  });
  scope.after(async () => {
    await server[Symbol.asyncDispose]();
    tls[Symbol.dispose]();
    access[Symbol.dispose]();
  });
  const keyOf = (person: Person) => `Bearer ${keys[person]?.key}`;
  return { server, folder, certificates, tokens, keyOf, seen };
}

/** Methods that do nothing but remember who called. */
function seeingCallers(descriptor: DescService, seen: (Caller | undefined)[]) {
  const methods = descriptor.methods.map((method) => {
    const unary = (_request: unknown, context: CallContext) => {
      seen.push(callerOf(context));
      return create(method.output);
    };
    async function* stream(request: unknown, context: CallContext) {
      yield unary(request, context);
    }
    return [method.localName, method.methodKind === "unary" ? unary : stream] as const;
  });
  return service(descriptor, Object.fromEntries(methods) as Methods<DescService>);
}

async function issuedCertificates(folder: string) {
  const [ours, others] = [await createAuthority(), await createAuthority("somebody else")];
  const open = async (authority: typeof ours, place: string, name: string) => {
    await authority.issue(join(folder, place), { name });
    using tls = openTls(join(folder, place), { log: undefined as never });
    return { cert: tls.material.certificate, key: tls.material.key };
  };
  const own = processNames.map(async (name) => [name, await open(ours, name, name)] as const);
  return {
    issue: (place: string, options: { readonly name: string }) => ours.issue(place, options),
    authority: ours.certificate,
    ofProcess: Object.fromEntries(await Promise.all(own)),
    /** It says `trainer-worker`, and another authority has signed it. */
    foreign: await open(others, "foreign", "trainer-worker"),
  };
}

const issuers = `issuers:
  - issuer: ${issuer}
    audience: pretrain
    jwks_file: keys.json
    name_claim: sub
    roles_claim: groups
    roles: { team: [{ role: viewer }] }`;

async function issuedTokens(folder: string) {
  const [ours, others] = [await generateKeyPair("ES256", { extractable: true }), await generateKeyPair("ES256")];
  mkdirSync(folder, { recursive: true });
  const keys = [{ ...(await exportJWK(ours.publicKey)), kid: "1" }];
  writeFileSync(join(folder, "keys.json"), JSON.stringify({ keys }));
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: "pretrain", sub: "eva", groups: ["team"], exp: now + 3600 };
  const signed = (changed: Partial<typeof claims>, { privateKey } = ours) =>
    new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: "ES256", kid: "1" }).sign(privateKey);
  return {
    valid: `Bearer ${await signed({})}`,
    expired: `Bearer ${await signed({ exp: now - 3600 })}`,
    foreign: `Bearer ${await signed({}, others)}`,
    unsigned: `Bearer ${new UnsecuredJWT(claims).encode()}`,
  };
}
