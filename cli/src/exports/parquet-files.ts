/** Tables as Parquet: one file for each, doubles as they are, in groups of rows so that a long run needs no more memory than a short one. */
import { type BasicType, ByteWriter, parquetWriteRows } from "hyparquet-writer";
import type { ExperimentSource } from "./experiment-source.ts";
import { type OutputFile, type WrittenFile, writeFileInPieces } from "./output-file.ts";
import { type Cell, type ColumnKind, type Table, tablesOf } from "./tables.ts";

/** Of one group, in memory at once: about 30 MB of micro-steps. */
const groupRows = 50_000;
const types = { integer: "INT64", double: "DOUBLE", time: "TIMESTAMP", text: "STRING" } as const satisfies Record<
  ColumnKind,
  BasicType
>;

export async function writeParquetFiles(source: ExperimentSource, folder: string): Promise<WrittenFile[]> {
  const files: WrittenFile[] = [];
  for (const table of tablesOf(source)) {
    files.push(await writeFileInPieces(folder, `${table.name}.parquet`, (file) => writeTable(table, file)));
  }
  return files;
}

async function writeTable(table: Table, file: OutputFile): Promise<number> {
  const writer = new WriterOfFile(file);
  let count = 0;
  async function* rows() {
    for await (const row of table.rows()) {
      count += 1;
      yield record(table, row);
    }
  }
  const columns = table.columns.map(({ name, kind }) => ({ name, type: types[kind] }));
  const createdBy = "pretrain"; // no version of a package: equal tables give equal files
  await parquetWriteRows({ writer, rows: rows(), columns, rowGroupSize: groupRows, createdBy });
  await writer.flush();
  return count;
}

function record({ columns }: Table, row: readonly Cell[]): Record<string, Cell> {
  return Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]));
}

/** Hands its bytes on after each group, which the library waits for. */
class WriterOfFile extends ByteWriter {
  readonly #file: OutputFile;

  constructor(file: OutputFile) {
    super();
    this.#file = file;
  }

  async flush(): Promise<void> {
    await this.#file.append(this.getBytes().slice()); // a copy: the buffer is used again
    this.index = 0;
  }
}
