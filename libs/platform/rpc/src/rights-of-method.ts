/** What it takes to call an RPC, as its .proto says; and what a request of it is about. */
import { type DescField, type DescMethod, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Requirement, Role } from "@pretrain/access";
import { accessV1, canonicalSpelling, health, reflectionV1, reflectionV1Alpha } from "@pretrain/proto";

/** `public`: everybody may, also who is not known. */
export type Rights = "public" | (Pick<Requirement, "processes"> & { readonly role: Role } & Resources);

interface Resources {
  readonly resources: readonly string[];
  readonly reads: readonly string[];
}

const { Role: RoleOption } = accessV1;
const roleNames: Readonly<Partial<Record<accessV1.Role, Role>>> = {
  [RoleOption.VIEWER]: "viewer",
  [RoleOption.RESEARCHER]: "researcher",
  [RoleOption.OPERATOR]: "operator",
};

/** Contracts of others carry no options of ours. */
const rightsOfOthers: ReadonlyMap<string, Rights> = new Map<string, Rights>([
  [health.Health.typeName, "public"], // whoever starts and stops the service has no key
  [reflectionV1.ServerReflection.typeName, { role: "viewer", resources: [], reads: [] }],
  [reflectionV1Alpha.ServerReflection.typeName, { role: "viewer", resources: [], reads: [] }],
]);

/**
 * @throws Error for a method without the option, or with a field in braces that its request has not: a slip in the contract, found when
 *   a service is started with it
 */
export function rightsOfMethod(method: DescMethod): Rights {
  const ofOthers = rightsOfOthers.get(method.parent.typeName);
  if (ofOthers !== undefined) return ofOthers;
  const name = `${method.parent.typeName}/${method.name}`;
  const option = hasOption(method, accessV1.access) ? getOption(method, accessV1.access) : undefined;
  const role = option && roleNames[option.role];
  if (option === undefined || role === undefined)
    throw new Error(`${name} has no option (pretrain.access.v1.access) with a role`);
  for (const template of [...option.resources, ...option.reads]) fieldOf(method, template);
  return { role, resources: option.resources, processes: option.processes, reads: option.reads };
}

/** Everything that one request takes, each to be granted. */
export function requirementsOf(rights: Exclude<Rights, "public">, method: DescMethod, request: Message): Requirement[] {
  const { role, processes } = rights;
  const about = namesIn(method, rights.resources, request).map((resource) => ({ role, resource, processes }));
  const read = namesIn(method, rights.reads, request).map((resource) => ({
    role: "viewer" as const,
    resource,
    processes,
  }));
  return [...(about.length === 0 ? [{ role, resource: undefined, processes }] : about), ...read];
}

const inBraces = /\{([a-z0-9_]+)\}/;

function fieldOf(method: DescMethod, template: string): DescField | undefined {
  const name = inBraces.exec(template)?.[1];
  if (name === undefined) return undefined;
  const field = method.input.fields.find((each) => each.name === name);
  if (field !== undefined && (field.fieldKind === "scalar" || field.fieldKind === "list")) return field;
  throw new Error(`${method.parent.typeName}/${method.name}: its request has no text "${name}" for ${template}`);
}

/** A name that is empty is undefined: what is meant is everything. */
function namesIn(method: DescMethod, templates: readonly string[], request: Message): (string | undefined)[] {
  return templates.flatMap((template) => {
    const field = fieldOf(method, template);
    if (field === undefined) return [template];
    return textsOf(reflect(method.input, request), field).map((text) =>
      text === "" ? undefined : canonicalName(template.replace(inBraces, () => text)),
    );
  });
}

function textsOf(request: ReflectMessage, field: DescField): readonly string[] {
  const value: unknown = request.get(field as DescField & { fieldKind: "scalar" });
  if (typeof value === "string") return [value];
  const texts = [...(value as Iterable<unknown>)].map(String);
  return texts.length === 0 ? [""] : texts;
}

/** An experiment has several spellings; its rights are those of the one that is stored. */
function canonicalName(name: string): string {
  const [collection, id, ...rest] = name.split("/");
  if (collection !== "experiments" || id === undefined) return name;
  return [collection, canonicalSpelling(id), ...rest].join("/");
}
