/** Where the services are: an option of each command that calls one, a variable, and the well-known port. The one place for it. */
import type { DescService } from "@bufbuild/protobuf";
import { InvalidArgument } from "@pretrain/errors";
import { type ClientOptions, connectClient, type PretrainClient } from "@pretrain/rpc";
import { Option } from "commander";
import { type CredentialOptions, credentialsFor } from "./credentials.ts";
import type { Terminal } from "./terminal/terminal.ts";

interface ServiceAddress {
  /** As it is called in sentences. */
  readonly called: string;
  readonly flag: string;
  readonly variable: string;
  /** Where `pretrain up` starts it. */
  readonly wellKnown: string;
}

const services = {
  dataShard: {
    called: "data-shard service",
    flag: "--data-shard",
    variable: "PRETRAIN_DATA_SHARD",
    wellKnown: "127.0.0.1:7401",
  },
  trainer: { called: "trainer", flag: "--trainer", variable: "PRETRAIN_TRAINER", wellKnown: "127.0.0.1:7402" },
  evaluator: { called: "evaluator", flag: "--evaluator", variable: "PRETRAIN_EVALUATOR", wellKnown: "127.0.0.1:7403" },
  report: { called: "report service", flag: "--report", variable: "PRETRAIN_REPORT", wellKnown: "127.0.0.1:7404" },
} as const satisfies Record<string, ServiceAddress>;

export type CalledService = keyof typeof services;

/** The addresses that a command was given, by the names of its options, and what it shows there. */
export type ServiceOptions<Called extends CalledService> = Readonly<Record<Called, string>> & CredentialOptions;

/** Says where a service is. What is typed comes first, then the variable, then the port of `pretrain up`. */
export function addressOption(service: CalledService, { environment }: Terminal): Option {
  const { called, flag, variable } = services[service];
  return new Option(
    `${flag} <host:port>`,
    `address of the ${called}, with https:// in front for TLS; or ${variable}`,
  ).default(addressOf(service, environment));
}

/** The address that is used when no option says otherwise. */
export function addressOf(service: CalledService, environment: Terminal["environment"]): string {
  const { variable, wellKnown } = services[service];
  return environment[variable] || wellKnown;
}

/**
 * A client of the service at the address that the command was given.
 *
 * @throws InvalidArgument when that is no `host:port`, and as `credentialsFor` says
 */
export function connect<Service extends DescService, Called extends CalledService>(
  descriptor: Service,
  called: Called,
  options: ServiceOptions<Called>,
  limits: ClientOptions = {},
): PretrainClient<Service> {
  const { flag, variable } = services[called];
  const address = options[called];
  if (/^(https:\/\/)?(\[[0-9a-f:.]+\]|[^\s/:[\]]+):[0-9]{1,5}$/i.test(address))
    return connectClient(descriptor, placeOf(address), { ...limits, ...credentialsFor(address, options) });
  const description = `${JSON.stringify(address.slice(0, 100))} is no address; host:port or https://host:port is expected`;
  throw new InvalidArgument([{ field: `${flag} or ${variable}`, description }]);
}

/** `host:port` alone. */
export function placeOf(address: string): string {
  return address.replace(/^https:\/\//i, "");
}

/** Its name in sentences. */
export function serviceCalled(service: CalledService): string {
  return services[service].called;
}

export const calledServices = [
  "dataShard",
  "trainer",
  "evaluator",
  "report",
] as const satisfies readonly CalledService[];

/** The service that a command was told to find there. */
export function serviceAt(address: string, options: Readonly<Record<string, unknown>>): ServiceAddress | undefined {
  const found = Object.entries(services).find(([name]) => placeOf(String(options[name])) === address);
  return found?.[1];
}
