/**
 * Events of TensorBoard, as protobuf. Only what is needed, by the numbers that the format gives its fields:
 *
 *     Event             wall_time 1 double, step 2 int64, file_version 3 string, summary 5
 *     Summary           value 1                Value       tag 1 string, simple_value 2 float, tensor 8, metadata 9
 *     SummaryMetadata   plugin_data 1          PluginData  plugin_name 1 string, content 2 bytes
 *                       data_class 4 enum
 *     TensorProto       dtype 1 enum, tensor_shape 2, float_val 5, string_val 8
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { finished, type RunStatus, type Setting, started } from "./hparams.ts";

export type { Setting };

const fileVersion = "brain.Event:2";
/** DATA_CLASS_TENSOR. */
const tensorClass = 2;
const tensorType = { float: 1, string: 7 } as const;

interface Moment {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** Counts the tag's axis: here micro-steps. */
  readonly step: bigint;
}

/** Records of one file, in the order in which they are asked for. A tag says what it is only where it appears first. */
export class EventEncoder {
  readonly #introduced = new Set<string>();

  /** The record that a file begins with. */
  fileBegins(wallTime: number): Uint8Array {
    return event({ wallTime, step: 0n }).tag(3, WireType.LengthDelimited).string(fileVersion).finish();
  }

  /**
   * Numbers of one step in one record, as 32-bit floats: TensorBoard's own server reads scalars of no other kind, and shows nothing of a
   * tag that it cannot read.
   */
  scalars(moment: Moment, values: Iterable<readonly [tag: string, value: number]>): Uint8Array {
    const record = event(moment).tag(5, WireType.LengthDelimited).fork();
    for (const [tag, value] of values) {
      record.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(tag);
      record.tag(2, WireType.Bit32).float(clamped(value)).join();
    }
    return record.join().finish();
  }

  /** @param markdown as TensorBoard shows it */
  text(moment: Moment, tag: string, markdown: string): Uint8Array {
    const record = event(moment).tag(5, WireType.LengthDelimited).fork();
    const entry = this.#value(record, tag, { plugin: "text" });
    entry.tag(8, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(tensorType.string);
    entry.tag(2, WireType.LengthDelimited).bytes(scalarShape);
    entry.tag(8, WireType.LengthDelimited).string(markdown).join().join();
    return record.join().finish();
  }

  /** The settings that the run began with, for the table of hyperparameters. */
  runBegins(wallTime: number, settings: ReadonlyMap<string, Setting>, group: string): Uint8Array {
    return this.#hparams(wallTime, "_hparams_/session_start_info", started(wallTime, settings, group));
  }

  runEnds(wallTime: number, status: RunStatus): Uint8Array {
    return this.#hparams(wallTime, "_hparams_/session_end_info", finished(wallTime, status));
  }

  /** What is said stands in the metadata; the tensor beside it has no meaning, but must be there. */
  #hparams(wallTime: number, tag: string, content: Uint8Array): Uint8Array {
    const record = event({ wallTime, step: 0n }).tag(5, WireType.LengthDelimited).fork();
    const entry = this.#value(record, tag, { plugin: "hparams", content });
    entry.tag(8, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(tensorType.float);
    entry.tag(2, WireType.LengthDelimited).bytes(scalarShape);
    entry.tag(5, WireType.Bit32).float(0).join().join();
    return record.join().finish();
  }

  /** Opens a value of the summary that `record` is in; the caller closes it. */
  #value(record: BinaryWriter, tag: string, kind: Kind): BinaryWriter {
    const entry = record.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(tag);
    if (this.#introduced.has(tag)) return entry;
    this.#introduced.add(tag);
    const metadata = entry.tag(9, WireType.LengthDelimited).fork();
    const plugin = metadata
      .tag(1, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.LengthDelimited)
      .string(kind.plugin);
    if (kind.content !== undefined) plugin.tag(2, WireType.LengthDelimited).bytes(kind.content);
    plugin.join();
    return metadata.tag(4, WireType.Varint).int32(tensorClass).join();
  }
}

interface Kind {
  readonly plugin: "text" | "hparams";
  readonly content?: Uint8Array;
}

/** What a float can hold; the writer refuses more. What is no finite number stays so. */
function clamped(value: number): number {
  const largest = 3.4028234663852886e38;
  return Number.isFinite(value) ? Math.min(largest, Math.max(-largest, value)) : value;
}

/** A shape without dimensions. */
const scalarShape = new Uint8Array(0);

function event({ wallTime, step }: Moment): BinaryWriter {
  const writer = new BinaryWriter().tag(1, WireType.Bit64).double(wallTime);
  return step === 0n ? writer : writer.tag(2, WireType.Varint).int64(step);
}
