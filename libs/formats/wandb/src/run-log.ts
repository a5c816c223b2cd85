/**
 * Records of a run, as protobuf. Only what is needed, by the numbers that the format gives its fields:
 *
 *     Record           num 1 int64, history 2, summary 3, output_raw 13, run 17, exit 18, header 21
 *     HeaderRecord     version_info 1          VersionInfo      producer 1 string, min_consumer 2 string
 *     RunRecord        run_id 1 string, project 3 string, config 4, display_name 8 string, notes 9 string, start_time 17
 *     ConfigRecord     update 1                ConfigItem       key 1 string, value_json 16 string
 *     HistoryRecord    item 1, step 2          HistoryItem      nested_key 2 string, value_json 16 string;  HistoryStep  num 1 int64
 *     SummaryRecord    update 1                SummaryItem      nested_key 2 string, value_json 16 string
 *     OutputRawRecord  output_type 1 enum, timestamp 2, line 3 string
 *     RunExitRecord    exit_code 1 int32, runtime 2 int32
 *     Timestamp        seconds 1 int64, nanos 2 int32
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LogBlocks } from "./log-blocks.ts";

export interface RunBeginning {
  readonly id: string;
  readonly project: string;
  /** As a person reads it. */
  readonly title: string;
  readonly notes: string;
  readonly config: ReadonlyMap<string, number | string | boolean>;
  /** In milliseconds since 1970, as all times here. */
  readonly startMs: number;
}

/** The oldest reader that understands these records, by the number that W&B 0.31.0 itself writes there. */
const oldestReader = "0.70.0";
const standardOutput = 1;

/** The pieces of a log in the order in which they are asked for. */
export class RunLog {
  readonly #blocks = new LogBlocks();
  #records = 0;
  #startMs = 0;

  /** What the file begins with. */
  begins({ id, project, title, notes, config, startMs }: RunBeginning): Uint8Array {
    this.#startMs = startMs;
    const header = this.#blocks.header();
    const version = this.#record(21, (record) => {
      const info = record.tag(1, WireType.LengthDelimited).fork();
      info.tag(1, WireType.LengthDelimited).string("pretrain").tag(2, WireType.LengthDelimited).string(oldestReader);
      info.join();
    });
    const run = this.#record(17, (record) => {
      record.tag(1, WireType.LengthDelimited).string(id).tag(3, WireType.LengthDelimited).string(project);
      const settings = record.tag(4, WireType.LengthDelimited).fork();
      for (const [key, value] of config) keyed(settings, 1, key, value);
      settings.join();
      record.tag(8, WireType.LengthDelimited).string(title).tag(9, WireType.LengthDelimited).string(notes);
      timestamp(record, 17, startMs);
    });
    return Buffer.concat([header, version, run]);
  }

  /** What was measured at a step. Steps ascend: a reader numbers one that does not anew. */
  history(step: bigint, timeMs: number, values: Iterable<readonly [name: string, value: number | string]>): Uint8Array {
    return this.#record(2, (record) => {
      for (const [name, value] of values) keyed(record, 2, name, value);
      keyed(record, 2, "_step", Number(step));
      keyed(record, 2, "_timestamp", timeMs / 1000);
      keyed(record, 2, "_runtime", (timeMs - this.#startMs) / 1000);
      record.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(step).join();
    });
  }

  /** The last value of each curve, which tables of runs show. */
  summary(values: Iterable<readonly [name: string, value: number | string]>): Uint8Array {
    return this.#record(3, (record) => {
      for (const [name, value] of values) keyed(record, 2, name, value);
    });
  }

  /** A line of the run's output. */
  output(timeMs: number, line: string): Uint8Array {
    return this.#record(13, (record) => {
      record.tag(1, WireType.Varint).int32(standardOutput);
      timestamp(record, 2, timeMs);
      record.tag(3, WireType.LengthDelimited).string(`${line}\n`);
    });
  }

  /** The run is over. Without this record a reader takes it for one that was cut off. */
  ends(endMs: number, succeeded: boolean): Uint8Array {
    return this.#record(18, (record) => {
      record.tag(1, WireType.Varint).int32(succeeded ? 0 : 1);
      record.tag(2, WireType.Varint).int32(Math.max(0, Math.round((endMs - this.#startMs) / 1000)));
    });
  }

  #record(kind: number, fill: (record: BinaryWriter) => void): Uint8Array {
    this.#records += 1;
    const writer = new BinaryWriter().tag(1, WireType.Varint).int64(BigInt(this.#records));
    const record = writer.tag(kind, WireType.LengthDelimited).fork();
    fill(record);
    return this.#blocks.framed(record.join().finish());
  }
}

/** An item of the record's field 1: a key in its field `keyField`, and its value as JSON. */
function keyed(record: BinaryWriter, keyField: number, key: string, value: number | string | boolean): void {
  const item = record.tag(1, WireType.LengthDelimited).fork();
  item.tag(keyField, WireType.LengthDelimited).string(key);
  item.tag(16, WireType.LengthDelimited).string(json(value)).join();
}

/** JSON has no numbers that are not finite; W&B writes their names. */
function json(value: number | string | boolean): string {
  return typeof value === "number" && !Number.isFinite(value) ? `"${value}"` : JSON.stringify(value);
}

function timestamp(record: BinaryWriter, field: number, timeMs: number): void {
  const seconds = Math.floor(timeMs / 1000);
  const time = record.tag(field, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(BigInt(seconds));
  time
    .tag(2, WireType.Varint)
    .int32(Math.round((timeMs - 1000 * seconds) * 1e6))
    .join();
}
