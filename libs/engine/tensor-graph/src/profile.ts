/** What TensorFlow executes of a program after its optimizer: how often each operation, from where, and how long it takes. */
import { dataTypes, profile } from "./native.ts";
import { type Program, recordedAt } from "./program.ts";
import { Message } from "./protocol-buffer.ts";
import { type Elements, type TensorSpecs, zeros } from "./signature.ts";

export interface ExecutedOperation {
  /** As executed: TensorFlow's optimizer replaces, merges and removes operations. */
  readonly operation: string;
  /** Of the operation that was traced, where it is still known. */
  readonly place: string | undefined;
  readonly count: number;
  /** Of all of them; on several cores operations run at the same time, so this can add up to more than the run took. */
  readonly milliseconds: number;
}

/**
 * One run after a first one, in a session of its own; the operations that took longest first.
 *
 * @param variables values of those that the program reads
 */
export function profiled(
  program: Program,
  feeds: Readonly<Record<string, Elements>>,
  variables: Readonly<Record<string, Elements>>,
): ExecutedOperation[] {
  const { name, definition } = program;
  const resultTypes = Object.values(program.outputs).map(({ dtype }) => dataTypes[dtype]);
  const values = [given(program.feeds, feeds), given(program.variables, variables)] as const;
  const metadata = profile(definition, name, ...values, resultTypes, 1);
  return summed(program, executedNodes(new Message(metadata)));
}

interface ExecutedNode {
  readonly name: string;
  readonly operation: string;
  readonly microseconds: number;
}

/**
 * tensorflow/core/protobuf/config.proto, framework/step_stats.proto:
 *
 *     RunMetadata.step_stats (1) → StepStats.dev_stats (1) → DeviceStepStats.node_stats (2) → NodeExecStats.node_name (1),
 *     .op_start_rel_micros (3), .op_end_rel_micros (4), .timeline_label (8): `Mul_11 = Mul(Const_16, Mul_12)`
 */
function executedNodes(metadata: Message): ExecutedNode[] {
  const devices = metadata.messages(1).flatMap((stepStats) => stepStats.messages(1));
  return devices
    .flatMap((device) => device.messages(2))
    .map((node) => ({
      name: node.text(1),
      operation: / = (\w+)\(/.exec(node.text(8))?.[1] ?? "",
      microseconds: node.number(4) - node.number(3),
    }))
    .filter(({ name, operation }) => !name.includes("session/") && !isBorder.has(operation));
}

/** Where values come in and go out; the first has no operation at all. */
const isBorder = new Set(["", "NoOp", "_Arg", "_Retval"]);

function summed(program: Program, nodes: readonly ExecutedNode[]): ExecutedOperation[] {
  const groups = Map.groupBy(nodes, ({ operation, name }) => `${operation} ${placeOf(program, name) ?? ""}`);
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const milliseconds = group.reduce((sum, { microseconds }) => sum + microseconds, 0) / 1000;
      return [{ operation: first.operation, place: placeOf(program, first.name), count: group.length, milliseconds }];
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

function placeOf(program: Program, node: string): string | undefined {
  return recordedAt(program, node)?.place;
}

/** What is only replaced has no value that would matter: zeros. */
function given(specs: TensorSpecs, values: Readonly<Record<string, Elements>>) {
  return Object.entries(specs).map(([name, spec]) => ({
    type: dataTypes[spec.dtype],
    shape: spec.shape,
    values: values[name] ?? zeros(spec),
  }));
}
