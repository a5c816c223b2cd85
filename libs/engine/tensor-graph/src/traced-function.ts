/** A traced function on the device: feeds in, outputs out, variables changed where they are. */
import type { DeviceState } from "./device-state.ts";
import { dataTypes, runtime } from "./native.ts";
import { type Program, printed } from "./program.ts";
import { described, type Elements, expectElements, type TensorSpec } from "./signature.ts";

const registered = new Set<string>();

export class TracedFunction {
  readonly program: Program;
  readonly state: DeviceState;

  /** @throws TypeError when the program was traced over other variables than `state` has */
  constructor(program: Program, state: DeviceState) {
    for (const [name, spec] of Object.entries(program.variables)) expectVariable(name, spec, state.specs[name]);
    this.program = program;
    this.state = state;
    if (registered.has(program.name)) return; // names are by content, so it is the same function
    runtime.addFunction(program.definition);
    registered.add(program.name);
  }

  /**
   * Runs the function once, to its end; the first run also optimizes it for this machine.
   *
   * @throws TypeError for a feed that is missing, unknown, or of another type or number of elements; Error in TensorFlow's words
   *   when it fails: variables are then as they were, or as far as they had been replaced
   */
  run(feeds: Readonly<Record<string, Elements>>): Record<string, Elements> {
    const { program, state } = this;
    for (const name of Object.keys(feeds)) {
      if (program.feeds[name] === undefined) throw new TypeError(`there is no feed ${name}`);
    }
    const fed = Object.entries(program.feeds).map(([name, spec]) => {
      const elements = feeds[name];
      if (elements === undefined) throw new TypeError(`the feed ${name} is missing, ${described(spec)}`);
      expectElements(name, elements, spec);
      return runtime.newValue(dataTypes[spec.dtype], spec.shape, elements);
    });
    const handles = Object.keys(program.variables).map((name) => state.handle(name));
    const names = Object.keys(program.outputs);
    const values = runtime.execute(program.name, [], [...fed, ...handles], names.length);
    const outputs = values.map((value, index): [string, Elements] => [names[index] ?? "", value.read() as Elements]);
    for (const value of [...fed, ...values]) value.dispose();
    return Object.fromEntries(outputs);
  }

  /** The program as text, a line for each operation. */
  toString(): string {
    return printed(this.program);
  }
}

function expectVariable(name: string, spec: TensorSpec, found: TensorSpec | undefined): void {
  if (found !== undefined && described(found) === described(spec)) return;
  const is = found === undefined ? "is missing" : `is ${described(found)}`;
  throw new TypeError(`the variable ${name} must be ${described(spec)}, ${is}`);
}
