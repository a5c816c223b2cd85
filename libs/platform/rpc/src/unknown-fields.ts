/** Fields that a caller sent and this version does not know: dropped in silence they would be an experiment other than meant. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Violation } from "@pretrain/errors";

/** One violation per unknown field of the message or of a message inside it, by its path and number. */
export function unknownFields(schema: DescMessage, message: Message): readonly Violation[] {
  return [...inMessage(reflect(schema, message), "")];
}

function* inMessage(message: ReflectMessage, path: string): Generator<Violation> {
  for (const { no } of message.getUnknown() ?? []) {
    const description = `${message.desc.typeName} has no field number ${no}; caller and service are of different versions`;
    yield { field: path || message.desc.name, description };
  }
  for (const [name, inner] of innerMessages(message)) yield* inMessage(inner, path === "" ? name : `${path}.${name}`);
}

function* innerMessages(message: ReflectMessage): Generator<readonly [name: string, message: ReflectMessage]> {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === "message") yield [field.name, message.get(field)];
    else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const [index, item] of message.get(field).entries()) {
        if (isReflectMessage(item)) yield [`${field.name}[${index}]`, item];
      }
    } else if (field.fieldKind === "map" && field.mapKind === "message") {
      for (const [key, value] of message.get(field)) {
        if (isReflectMessage(value)) yield [`${field.name}[${JSON.stringify(key)}]`, value];
      }
    }
  }
}
