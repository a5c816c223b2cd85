/** A message with a value in every field: what hostile ones are made from. */
import { create, type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, type ScalarValue } from "@bufbuild/protobuf/reflect";

/** Messages inside messages, counted from the outermost; deeper ones stay empty. */
const depthLimit = 5;

/** Lists and maps have one entry; of a oneof the last member is set. Whether the values obey the rules of the .proto is left to chance. */
export function filledMessage<Schema extends DescMessage>(schema: Schema): MessageShape<Schema> {
  const message = reflect(schema, create(schema));
  fill(message, 0);
  return message.message as MessageShape<Schema>;
}

function fill(message: ReflectMessage, depth: number): void {
  for (const field of message.fields) {
    if (field.fieldKind === "list") message.get(field).add(item(field, depth));
    else if (field.fieldKind === "map") message.get(field).set(keyOf(field.mapKey), item(field, depth));
    else message.set(field, item(field, depth));
  }
}

function item(field: DescField, depth: number): ReflectMessage | ScalarValue | number {
  if (field.message !== undefined) {
    const inner = reflect(field.message, create(field.message));
    if (depth < depthLimit) fill(inner, depth + 1);
    return inner;
  }
  if (field.enum !== undefined) return field.enum.values.at(-1)?.number ?? 0;
  return scalarOf(field.scalar ?? ScalarType.STRING, field.name);
}

function keyOf(kind: ScalarType): Exclude<ScalarValue, Uint8Array> {
  const key = scalarOf(kind, "key");
  return key instanceof Uint8Array ? "key" : key;
}

/** A text is often a resource's name; a name says which. */
function scalarOf(kind: ScalarType, name: string): ScalarValue {
  switch (kind) {
    case ScalarType.STRING:
      return textOf(name);
    case ScalarType.BYTES:
      return Uint8Array.of(1, 2, 3);
    case ScalarType.BOOL:
      return true;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return 0.5;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 3n;
    default:
      return 3;
  }
}

function textOf(name: string): string {
  if (name.endsWith("sha256")) return "0123456789abcdef".repeat(4);
  if (name === "experiment") return "experiments/1-4-0";
  if (name === "dataset") return "datasets/book";
  if (name === "checkpoint") return "experiments/1-4-0/checkpoints/8";
  if (name === "request_id") return "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b";
  return "1-4-0";
}
