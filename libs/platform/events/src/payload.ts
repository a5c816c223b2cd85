/** Messages as bytes on the wire: ProtoJSON, readable by a person, read back strictly. */
import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import { DataLoss, messageOf } from "@pretrain/errors";

/** The server refuses longer ones; what comes from elsewhere is measured before it is parsed. */
const longestBytes = 2 ** 20;
const deepestNesting = 64;

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

export function encoded<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>): Uint8Array {
  return utf8.encode(toJsonString(schema, message));
}

/** @throws DataLoss that names the message and says why it cannot be read. */
export function decoded<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  try {
    if (bytes.length > longestBytes) throw new Error(`it has ${bytes.length} bytes, ${longestBytes} are allowed`);
    const text = strictUtf8.decode(bytes);
    expectShallow(text);
    const json: JsonValue = JSON.parse(text);
    return fromJson(schema, json, { ignoreUnknownFields: true }); // a newer publisher may say more
  } catch (error) {
    throw new DataLoss(
      "UNREADABLE_MESSAGE",
      `a ${schema.typeName} cannot be read: ${messageOf(error)}`,
      { schema: schema.typeName },
      { cause: error },
    );
  }
}

/** JSON.parse and the message reader descend recursively: a payload of brackets alone must not exhaust the stack. */
function expectShallow(text: string): void {
  if (openings(text, "{") + openings(text, "[") <= deepestNesting) return; // as nearly every event: no deeper than that
  let [depth, inString] = [0, false];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString && character === "\\") index += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth > deepestNesting) throw new Error(`it is nested more than ${deepestNesting} deep`);
  }
}

/** How often the bracket stands in the text, in a string or not; counted no further than matters. */
function openings(text: string, bracket: string): number {
  let count = 0;
  for (let at = text.indexOf(bracket); at >= 0 && count <= deepestNesting; at = text.indexOf(bracket, at + 1))
    count += 1;
  return count;
}
