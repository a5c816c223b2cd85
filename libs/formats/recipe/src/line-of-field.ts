/** Where a field of a request stands in the file that the request was read from. */
import { readYaml } from "@pretrain/bounded-yaml";
import { isMap, isNode, isScalar, isSeq, LineCounter, type Pair, type YAMLSeq } from "yaml";

/**
 * The line, from 1, of a field such as `recipe.training.learning_rate` or `recipe.targets[0].value`; of one that is not written
 * there, the line of the innermost group around it that is. Undefined when there is none, or the text cannot be read.
 */
export function lineOfField(text: string, field: string): number | undefined {
  const lines = new LineCounter();
  const read = readYaml(text, lines);
  if (!("tree" in read)) return undefined;
  let [node, offset]: [unknown, number | undefined] = [read.tree, undefined];
  for (const step of field.matchAll(/[^.[\]]+/g)) {
    const inner = isMap(node) ? entryOf(node.items, step[0]) : isSeq(node) ? itemOf(node, step[0]) : undefined;
    if (inner === undefined) break;
    [node, offset] = inner;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

type Place = [node: unknown, offset: number | undefined];

/** By its name in the .proto or its name in JSON. */
function entryOf(pairs: readonly Pair[], name: string): Place | undefined {
  const plain = (text: string) => text.replaceAll("_", "").toLowerCase();
  const found = pairs.find(({ key }) => isScalar(key) && plain(String(key.value)) === plain(name));
  return found && [found.value, offsetOf(found.key)];
}

function itemOf(list: YAMLSeq, index: string): Place | undefined {
  const item = list.items[Number(index)];
  return item === undefined ? undefined : [item, offsetOf(item)];
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
