/** From a function to a program. This file and what it imports need tfjs; running a program does not. */
import { dataTypes } from "./native.ts";
import { type NumberedSpec, type NumberedSpecs, type Program, specOf } from "./program.ts";
import { Recording, typeName } from "./recording.ts";
import { described, type TensorSpecs } from "./signature.ts";
import type { NamedTensors, ProgramOptions, Traceable } from "./trace.ts";
import { recorded, type TraceBackend } from "./trace-backend.ts";
import { TraceError } from "./trace-error.ts";

export function programOf(label: string, traceable: Traceable, options: Required<ProgramOptions>): Program {
  const recording = new Recording(options);
  return recorded(recording, (backend) => {
    const border = record(recording, backend, traceable, options);
    return {
      ...functionOf(label, recording, border, options.xla), // first, because it decides which variables are used
      feeds: specsOf(recording, border.fed),
      variables: specsOf(recording, used(recording, border.read)),
      outputs: specsOf(recording, border.results),
      operations: recording.operations,
    };
  });
}

/** Ids of values by name. */
type Ids = Readonly<Record<string, number>>;

interface Border {
  readonly fed: Ids;
  /** Each variable's value at the beginning. */
  readonly read: Ids;
  readonly results: Ids;
  /** New values of variables. */
  readonly replaced: Ids;
}

function record(
  recording: Recording,
  backend: TraceBackend,
  traceable: Traceable,
  { state: { specs }, feeds }: ProgramOptions,
): Border {
  const fed = mapEntries(feeds, (name, { dtype, shape }) => recording.argument(name, dataTypes[dtype], shape));
  const read = mapEntries(specs, (name, { dtype, shape }) => recording.variable(name, dataTypes[dtype], shape));
  const tensors = (ids: Ids) => mapEntries(ids, (_, id) => backend.tensor(id));
  const { state: next = {}, outputs } = traceable({ state: tensors(read), feeds: tensors(fed) });
  const results = idsOf(recording, backend, outputs);
  const given = idsOf(recording, backend, next);
  for (const [name, id] of Object.entries(given)) expectSpec(name, specWithin(recording, name, id), specs[name]);
  const replaced = Object.fromEntries(Object.entries(given).filter(([name, id]) => id !== read[name]));
  return { fed, read, results, replaced };
}

function functionOf(label: string, recording: Recording, { fed, read, results, replaced }: Border, xla: boolean) {
  const outputsOf = (ids: Ids) => Object.values(ids).map((id) => recording.value(id).output);
  const outputs = outputsOf(results);
  outputsOf(replaced); // asking is what reads: everything is read before the first variable is replaced
  const effects = Object.entries(replaced).map(([name, id]) => recording.assign(name, id));
  const handles = Object.keys(used(recording, read)).flatMap((name) => recording.handleOf(name) ?? []);
  const inputs = [...outputsOf(fed), ...handles];
  const attributes: Readonly<Record<string, Uint8Array>> = xla ? { _XlaMustCompile: trueAttribute } : {};
  return recording.toFunction(label, inputs, outputs, effects, attributes);
}

/** An AttrValue whose field 5, `b`, is true, in protocol-buffer bytes. */
const trueAttribute = Uint8Array.of(0x28, 0x01);

function used(recording: Recording, read: Ids): Ids {
  return Object.fromEntries(Object.entries(read).filter(([name]) => recording.handleOf(name) !== undefined));
}

/** Values that leave are float32, whatever they were computed in. */
function idsOf(recording: Recording, backend: TraceBackend, tensors: NamedTensors): Ids {
  return mapEntries(tensors, (_, tensor) => recording.asFloat32(backend.idOf(tensor)));
}

function specsOf(recording: Recording, ids: Ids): NumberedSpecs {
  return mapEntries(ids, (name, id) => specWithin(recording, name, id));
}

function specWithin(recording: Recording, name: string, id: number): NumberedSpec {
  const { type, shape } = recording.value(id);
  return { ...specOf(name, typeName(type), shape), value: recording.numberOf(id) };
}

function expectSpec(name: string, found: NumberedSpec, spec: TensorSpecs[string] | undefined): void {
  if (spec === undefined) throw new TraceError(`${name} is given a value, but the state has no such variable`);
  if (described(found) === described(spec)) return;
  throw new TraceError(`the variable ${name} is ${described(spec)}, and is given ${described(found)}`);
}

function mapEntries<A, B>(
  record: Readonly<Record<string, A>>,
  change: (name: string, value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(name, value)]));
}
