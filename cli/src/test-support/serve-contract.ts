/** A server in this process that speaks one of the contracts, with as many methods as a test needs. */
import type { DescService } from "@bufbuild/protobuf";
import { NotFound } from "@pretrain/errors";
import { createLog } from "@pretrain/observability";
import { type GrpcOptions, serveGrpc, service } from "@pretrain/rpc";
import type { TestScope } from "@pretrain/testing";

type Methods<Service extends DescService> = Parameters<typeof service<Service>>[1];

export interface ServedContract extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
}

/**
 * Serves until the test is over, or until it is disposed.
 * @param address `127.0.0.1:0` if not given @param secured who may call it, and by which certificate it is known; everybody, if not given
 */
export async function serveContract<Service extends DescService>(
  t: TestScope,
  descriptor: Service,
  methods: Partial<Methods<Service>>,
  address = "127.0.0.1:0",
  secured: Pick<GrpcOptions, "access" | "tls"> = {},
): Promise<ServedContract> {
  const absent = (name: string) => () => {
    throw new NotFound("NOT_IN_THIS_TEST", `${name} is not part of this test`);
  };
  const all = Object.fromEntries(descriptor.methods.map(({ localName }) => [localName, absent(localName)]));
  const served = service(descriptor, { ...all, ...methods } as Methods<Service>);
  const server = await serveGrpc({ address, services: [served], log: createLog("test", "fatal"), ...secured });
  let ended: Promise<void> | undefined;
  const end = () => (ended ??= Promise.resolve(server[Symbol.asyncDispose]()));
  t.after(end);
  return { address: server.address, [Symbol.asyncDispose]: end };
}
