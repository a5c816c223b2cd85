/**
 * What a manifest may hold, as JSON Schema for kubeconform: made from the descriptions that an API server itself goes by. Stricter than
 * those in one thing: a field that is not described is a fault, since the server would drop it without a word.
 */

/** A node of a description, in the dialect of OpenAPI that Kubernetes writes. */
export interface Described {
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly additionalProperties?: Described | boolean;
  readonly items?: Described;
  readonly allOf?: readonly Described[];
  readonly anyOf?: readonly Described[];
  readonly oneOf?: readonly Described[];
  readonly not?: Described;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

export interface Kind {
  /** Empty: the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

type Schema = Readonly<Record<string, unknown>>;

const intOrString: Schema = { oneOf: [{ type: "string" }, { type: "integer" }] };
const quantity: Schema = {
  oneOf: [{ type: "number" }, { type: "string", pattern: "^[+-]?[0-9.]+([eE][+-]?[0-9]+|m|k|[KMGTPE]i|[MGTPE])?$" }],
};

/** @param refersTo where the definitions are that a `$ref` names: `_definitions.json`, or empty for the same file */
export function schemaOf(node: Described, refersTo = ""): Schema {
  if (node.$ref !== undefined) return { $ref: `${refersTo}${node.$ref}` };
  if (node.format === "int-or-string") return intOrString;
  const inner = (child: Described) => schemaOf(child, refersTo);
  return {
    ...Object.fromEntries(keptAsTheyAre.flatMap((key) => (key in node ? [[key, Reflect.get(node, key)]] : []))),
    ...(node.type !== undefined && { type: node.nullable === true ? [node.type, "null"] : node.type }),
    ...(node.properties !== undefined && { properties: mapValues(node.properties, inner) }),
    ...additionalOf(node, inner),
    ...(node.items !== undefined && { items: inner(node.items) }),
    ...(node.not !== undefined && { not: withoutStrictness(node.not) }),
    ...Object.fromEntries(combinations.flatMap((key) => (node[key] ? [[key, node[key].map(withoutStrictness)]] : []))),
  };
}

const combinations = ["allOf", "anyOf", "oneOf"] as const;
const numbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"] as const;
const lengths = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"] as const;
const keptAsTheyAre = [...numbers, ...lengths, "pattern", "enum", "required"] as const;

/** A field that nothing describes is refused where some are described, and nothing says that others may be there. */
function additionalOf(node: Described, inner: (child: Described) => Schema): Schema {
  if (node["x-kubernetes-preserve-unknown-fields"] === true) return {};
  if (typeof node.additionalProperties === "object") return { additionalProperties: inner(node.additionalProperties) };
  return node.properties === undefined ? {} : { additionalProperties: false };
}

/** Alternatives describe only what they add: the node around them knows the other fields. */
function withoutStrictness(node: Described): Schema {
  const { properties, ...rest } = node;
  return { ...rest, ...(properties !== undefined && { properties: mapValues(properties, withoutStrictness) }) };
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Kubernetes' own definitions, all in one: each schema of a kind refers to them. */
export function definitionsOf(described: Readonly<Record<string, Described>>): Schema {
  const definitions = mapValues(described, (node) => schemaOf(node));
  return { definitions: { ...definitions, "io.k8s.apimachinery.pkg.api.resource.Quantity": quantity } };
}

/** The schema of a manifest of this kind, by a node that describes it. */
export function manifestSchema(kind: Kind, node: Described, definitionsFile: string): Schema {
  const schema = schemaOf(node, definitionsFile);
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  const metadata = { $ref: `${definitionsFile}#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` };
  const known = { apiVersion: { enum: [apiVersion] }, kind: { enum: [kind.kind] }, metadata };
  const properties = { ...mapValues(node.properties ?? {}, (child) => schemaOf(child, definitionsFile)), ...known };
  return { ...schema, type: "object", required: ["apiVersion", "kind", "metadata"], properties };
}

/** As kubeconform composes it from what a manifest says: `deployment-apps-v1.json`. */
export function schemaFileName({ group, version, kind }: Kind): string {
  const label = group === "" ? [] : [group.split(".", 1)[0]];
  return `${[kind, ...label, version].join("-").toLowerCase()}.json`;
}
