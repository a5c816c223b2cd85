/**
 * What TensorBoard's table of hyperparameters reads, by the numbers that its format gives its fields:
 *
 *     HParamsPluginData  version 1 int32, session_start_info 3, session_end_info 4
 *     SessionStartInfo   hparams 1 (map of name to google.protobuf.Value), group_name 4 string, start_time_secs 5 double
 *     SessionEndInfo     status 1 enum, end_time_secs 2 double
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export type Setting = number | string | boolean;

const statuses = { unknown: 0, succeeded: 1, failed: 2, running: 3 } as const;

export type RunStatus = keyof typeof statuses;

export function started(wallTime: number, settings: ReadonlyMap<string, Setting>, group: string): Uint8Array {
  const info = new BinaryWriter().tag(3, WireType.LengthDelimited).fork();
  for (const [name, setting] of settings) {
    info.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(name);
    valueOf(setting, info.tag(2, WireType.LengthDelimited).fork()).join().join();
  }
  info.tag(4, WireType.LengthDelimited).string(group);
  return info.tag(5, WireType.Bit64).double(wallTime).join().finish();
}

export function finished(wallTime: number, status: RunStatus): Uint8Array {
  const info = new BinaryWriter().tag(4, WireType.LengthDelimited).fork();
  info.tag(1, WireType.Varint).int32(statuses[status]);
  return info.tag(2, WireType.Bit64).double(wallTime).join().finish();
}

/** google.protobuf.Value: number_value 2, string_value 3, bool_value 4. */
function valueOf(setting: Setting, writer: BinaryWriter): BinaryWriter {
  if (typeof setting === "number") return writer.tag(2, WireType.Bit64).double(setting);
  if (typeof setting === "string") return writer.tag(3, WireType.LengthDelimited).string(setting);
  return writer.tag(4, WireType.Varint).bool(setting);
}
