/** A file of a person as YAML, and the faults in it with the file's name and line. YAML 1.2 contains JSON, so one reader serves both. */
import { readYaml } from "@pretrain/bounded-yaml";
import { InvalidArgument } from "@pretrain/errors";
import type { LineCounter } from "yaml";
import type { PlacedFault } from "./fields-of-yaml.ts";
import { invalid } from "./invalid.ts";

const sizeLimitBytes = 256 * 1024;

/** @throws InvalidArgument for a file above 256 KiB, and for one that is no YAML or JSON */
export function checkedYaml(text: string, fileName: string, lines: LineCounter): unknown {
  const refuse = (description: string) => new InvalidArgument([{ field: fileName, description }]);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > sizeLimitBytes) throw refuse(`is ${sizeBytes} bytes; the limit is ${sizeLimitBytes}`);
  const read = readYaml(text, lines);
  if ("tree" in read) return read.tree;
  throw refuse(read.faults.join("; "));
}

/** @throws InvalidArgument naming every fault with its line, unless there is none */
export function expectNoFaults(faults: readonly PlacedFault[], fileName: string, lines: LineCounter): void {
  const [first, ...rest] = faults.map(({ offset, field, description }) => ({
    field,
    description: `${description} (${fileName}, line ${lines.linePos(offset).line})`,
  }));
  if (first !== undefined) throw invalid([first, ...rest]);
}
