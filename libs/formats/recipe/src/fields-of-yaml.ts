/** Walks a YAML tree beside the message that it should be, and names every field that does not fit, with its line. */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { type Violation } from "@pretrain/errors";
import { isAlias, isMap, isNode, isScalar, isSeq, type Pair } from "yaml";
import { unknownName } from "./nearest-name.ts";

const nameShown = 80;

/** A fault and where in the text it is, in characters. */
export type PlacedFault = Violation & { readonly offset: number };

/**
 * The tree as ProtoJSON of `message`, and what is wrong with it. No message of a recipe contains its own kind, so that the
 * walk is never deeper than the .proto.
 */
export function fieldsOf(
  root: unknown,
  message: DescMessage,
): { readonly json: JsonObject; readonly faults: readonly PlacedFault[] } {
  const walk = new Walk();
  return { json: walk.message(root, message, ""), faults: walk.faults };
}

class Walk {
  readonly faults: PlacedFault[] = [];

  message(node: unknown, message: DescMessage, path: string): JsonObject {
    const json: JsonObject = {};
    if (!isMap(node)) {
      this.#fault(node, path || "the file", `a group of fields is expected: ${namesOf(message).join(", ")}`);
      return json;
    }
    for (const pair of node.items) this.#field(pair, message, path, json);
    return json;
  }

  #field({ key, value }: Pair, message: DescMessage, path: string, json: JsonObject): void {
    const name = isScalar(key) ? String(key.value) : String(key);
    const field = message.fields.find((known) => known.name === name || known.jsonName === name);
    const shown = name.slice(0, nameShown);
    const at = path === "" ? shown : `${path}.${shown}`;
    if (field === undefined) this.#fault(key, at, unknownName(name, namesOf(message)));
    else if (Object.hasOwn(json, field.name))
      this.#fault(key, at, `is there twice, as ${field.name} and ${field.jsonName}`);
    else if (!isNothing(value)) json[field.name] = this.#value(value, field, at);
  }

  #value(node: unknown, field: DescField, path: string): JsonValue {
    if (field.fieldKind !== "list") return this.#single(node, field, path);
    if (!isSeq(node)) {
      this.#fault(node, path, "a list is expected");
      return [];
    }
    return node.items.map((item, i) => this.#single(item, field, `${path}[${i}]`));
  }

  #single(node: unknown, field: DescField, path: string): JsonValue {
    if (field.message !== undefined) return this.message(node, field.message, path);
    if (!isScalar(node)) {
      this.#fault(
        node,
        path,
        isAlias(node) ? "aliases are not accepted; write the value" : "a single value is expected",
      );
      return null;
    }
    const value = node.value;
    if (isJsonScalar(value)) {
      const fault = typeFault(field, value);
      if (fault !== undefined) this.#fault(node, path, fault);
      return value;
    }
    this.#fault(node, path, `${String(value)} is no value of JSON`);
    return null;
  }

  #fault(node: unknown, field: string, description: string): void {
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    this.faults.push({ field, description, offset });
  }
}

/** What protobuf says about the value, undefined when it fits. */
function typeFault(field: DescField, value: JsonValue): string | undefined {
  try {
    fromJson(field.parent, { [field.name]: field.fieldKind === "list" ? [value] : value });
    return undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^.* from JSON: /s, "") : String(error);
    return field.scalar === ScalarType.STRING ? `${said}; put it in quotes` : said;
  }
}

function namesOf(message: DescMessage): string[] {
  return message.fields.map(({ name }) => name);
}

/** `key:` with nothing behind it, or null: the field is left to its default, as in ProtoJSON. */
function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function isJsonScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
