/** A source file as rows, in either format. */
import { jsonRows } from "./json-rows.ts";
import { lines } from "./lines.ts";
import { paragraphRows } from "./paragraph-rows.ts";
import { type SourceFile, sourceChunks } from "./source-file.ts";
import type { SourceRow } from "./source-row.ts";

/**
 * @param onBytes is told of every piece that was read
 * @throws as `sourceChunks`
 */
export function sourceRows(
  source: SourceFile,
  rules: { readonly format: "jsonl" | "text"; readonly minimumRowCharacters: number },
  onBytes: (bytes: number) => void,
): AsyncGenerator<SourceRow> {
  const found = lines(counted(sourceChunks(source), onBytes));
  return rules.format === "jsonl" ? jsonRows(found) : paragraphRows(found, rules.minimumRowCharacters);
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}
