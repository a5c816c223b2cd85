/**
 * Who comes in. A call passes it twice: before its message is read, where nobody known and nobody allowed are sent away without costing
 * more than a look at their headers, and once it is known what the request is about.
 */
import type { Http2Session } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Access, type Caller, expectAllowedSomewhere, type Requirement } from "@pretrain/access";
import { ResourceExhausted, Unauthenticated } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";
import { identityOfCertificate } from "@pretrain/tls";
import type { CallRecord } from "./call-record.ts";
import { CallerLimits, type Limits } from "./caller-limits.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { type Rights, requirementsOf, rightsOfMethod } from "./rights-of-method.ts";

export interface Admission {
  /** Undefined: a public call of somebody. */
  readonly record: CallRecord | undefined;
  /** To be called when the call has ended. */
  readonly end: () => void;
}

export interface Gate {
  /**
   * Before the message is read.
   *
   * @throws Unauthenticated, PermissionDenied, Unavailable, as Access does; ResourceExhausted CALLER_LIMIT, REFUSED_TOO_OFTEN
   */
  admit(method: DescMethod, call: IncomingCall): Promise<Admission>;
  /** Once it was read. @throws PermissionDenied naming the role and the resource */
  expectAllowed(method: DescMethod, message: Message, record: CallRecord | undefined): void;
  /** Of a call that could change something, one line for the audit log. */
  audit(method: DescMethod, record: CallRecord | undefined, code: Code | 0): void;
}

interface Options {
  readonly access: Access;
  readonly methods: readonly DescMethod[];
  readonly limits: Limits;
  readonly log: Log;
}

/** @throws Error when one of the methods does not say who may call it */
export function openGate({ access, methods, limits, log }: Options): Gate {
  const rights = new Map(methods.map((method) => [method, rightsOfMethod(method)]));
  const of = (method: DescMethod): Rights => {
    const found = rights.get(method);
    if (found === undefined) throw new Error(`${method.parent.typeName}/${method.name} is served without rights`);
    return found;
  };
  const callerLimits = new CallerLimits(limits);
  const audit = (method: DescMethod, record: Partial<CallRecord> | undefined, code: Code | 0) => {
    const needed = of(method);
    if (needed === "public" || needed.role === "viewer") return;
    const { caller, resources } = record ?? {};
    const name = `${method.parent.typeName}/${method.name}`;
    log.info(
      { audit: true, caller: caller?.name, kind: caller?.kind, method: name, resources, code: statusName(code) },
      "command",
    );
  };
  return {
    audit,
    async admit(method, call) {
      const needed = of(method);
      if (needed === "public") return { record: undefined, end: () => undefined };
      try {
        return await enter(method, needed, call);
      } catch (error) {
        if (error instanceof ResourceExhausted) await pause(limits.holdMs, undefined, { ref: false });
        throw error;
      }
    },
    expectAllowed(method, message, record) {
      const needed = of(method);
      if (needed === "public") return;
      if (record === undefined) throw new Error(`${method.name} was not admitted`);
      const requirements = requirementsOf(needed, method, message);
      record.resources = requirements.flatMap(({ resource }) =>
        resource === undefined ? [] : [resource.slice(0, 256)],
      );
      for (const requirement of requirements) access.expectAllowed(record.caller, requirement);
    },
  };

  async function enter(method: DescMethod, needed: Requirement, call: IncomingCall): Promise<Admission> {
    const caller = await known(call).catch((error: unknown) => {
      if (!(error instanceof Unauthenticated)) throw error;
      if (!callerLimits.refuse(networkOf(call.stream.session?.socket.remoteAddress))) throw refusedTooOften();
      audit(method, undefined, Code.Unauthenticated);
      throw error;
    });
    const end = callerLimits.begin(caller);
    try {
      expectAllowedSomewhere(caller, needed);
      return { record: { caller }, end };
    } catch (error) {
      end();
      audit(method, { caller }, Code.PermissionDenied);
      throw error;
    }
  }

  function known(call: IncomingCall): Promise<Caller> {
    return access.callerOf({ authorization: call.headers.authorization, certificateName: certificateName(call) });
  }
}

/** A connection keeps its certificate, and reading that takes longer than most of what is done for a call. */
const names = new WeakMap<Http2Session, { readonly name: string | undefined }>();

function certificateName({ stream: { session } }: IncomingCall): string | undefined {
  if (session?.encrypted !== true) return undefined;
  const read = names.get(session) ?? { name: identityOfCertificate(session.socket as TLSSocket) };
  names.set(session, read);
  return read.name;
}

/** Of an IPv6 address the half that its holder was given: the other half is changed at will. */
function networkOf(address = ""): string {
  return address.includes(":") && !address.includes(".") ? address.split(":").slice(0, 4).join(":") : address;
}

/** As gRPC writes it. */
function statusName(code: Code | 0): string {
  return code === 0 ? "OK" : (Code[code] ?? String(code)).replaceAll(/(?<!^)[A-Z]/g, "_$&").toUpperCase();
}

function refusedTooOften(): ResourceExhausted {
  const message =
    "too many calls of this address were refused because nobody is known by them; wait before the next one";
  return new ResourceExhausted("REFUSED_TOO_OFTEN", message);
}
