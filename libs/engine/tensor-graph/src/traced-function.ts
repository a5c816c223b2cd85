/** A traced function on the device: feeds in, outputs out, variables changed where they are. */
import type { DeviceState } from "./device-state.ts";
import { type DeviceValue, dataTypes, runtime } from "./native.ts";
import { type ExecutedOperation, profiled } from "./profile.ts";
import { type Program, printed, readVariables, recordedAt } from "./program.ts";
import { described, type Elements, expectElements, type TensorSpec } from "./signature.ts";

const registered = new Set<string>();

type Feeds = Readonly<Record<string, Elements>>;

export class TracedFunction {
  readonly program: Program;
  readonly state: DeviceState;
  #isReady = false;

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
   * @throws TypeError for a feed that is missing, unknown, or of another type or number of elements; Error for a variable without a
   *   value; Error in TensorFlow's words, with the operation's place, when it fails: variables are then as they were, or as far as
   *   they had been replaced
   */
  run(feeds: Feeds): Record<string, Elements> {
    this.#expectValues();
    const names = Object.keys(this.program.outputs);
    const variables = Object.keys(this.program.variables).map((name) => this.state.handle(name));
    using used = new DisposableStack(); // not left to the garbage collector, which does not see how large they are
    const values = [...this.#fed(feeds, used), ...variables];
    const outputs = this.#execute(values, names.length).map((value) => used.adopt(value, dispose));
    return Object.fromEntries(outputs.map((value, index) => [names[index] ?? "", value.read() as Elements]));
  }

  /**
   * What TensorFlow executes after its optimizer, and how long that took in one run that follows a first one. It runs in a place of
   * its own: the state stays as it is, and is held twice meanwhile.
   *
   * @throws as `run`
   */
  profile(feeds: Feeds): ExecutedOperation[] {
    expectFeeds(this.program, feeds);
    this.#expectValues();
    return profiled(this.program, feeds, this.state.get(readVariables(this.program)));
  }

  /** The program as text, a line for each operation. */
  toString(): string {
    return printed(this.program);
  }

  #fed(feeds: Feeds, used: DisposableStack): DeviceValue[] {
    expectFeeds(this.program, feeds);
    return Object.entries(this.program.feeds).map(([name, spec]) => {
      const value = runtime.newValue(dataTypes[spec.dtype], spec.shape, feeds[name] as Elements);
      return used.adopt(value, dispose);
    });
  }

  /** TensorFlow itself would compute on, from nothing. A variable that has a value keeps one, so once is enough. */
  #expectValues(): void {
    if (this.#isReady) return;
    const unset = readVariables(this.program).filter((name) => !this.state.isSet(name));
    if (unset.length > 0) throw new Error(`${this.program.name} reads what was never set: ${unset.join(", ")}`);
    this.#isReady = true;
  }

  #execute(values: readonly DeviceValue[], outputCount: number): DeviceValue[] {
    try {
      return runtime.execute(this.program.name, [], values, outputCount);
    } catch (cause) {
      throw explained(this.program, cause);
    }
  }
}

function dispose(value: DeviceValue): void {
  value.dispose();
}

function expectFeeds({ feeds: specs }: Program, feeds: Feeds): void {
  for (const name of Object.keys(feeds)) {
    if (specs[name] === undefined)
      throw new TypeError(`there is no feed ${name}; there is ${Object.keys(specs).join(", ")}`);
  }
  for (const [name, spec] of Object.entries(specs)) {
    const elements = feeds[name];
    if (elements === undefined) throw new TypeError(`the feed ${name} is missing, ${described(spec)}`);
    expectElements(`the feed ${name}`, elements, spec);
  }
}

function expectVariable(name: string, spec: TensorSpec, found: TensorSpec | undefined): void {
  if (found !== undefined && described(found) === described(spec)) return;
  const is = found === undefined ? "is missing" : `is ${described(found)}`;
  throw new TypeError(`the variable ${name} must be ${described(spec)}, ${is}`);
}

/** TensorFlow names the node that failed, `{{node GatherV2_3}}`; the recording knows where that was asked for. */
function explained(program: Program, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [, node = ""] = /\{\{node ([^}]+)\}\}/.exec(message) ?? [];
  const recorded = recordedAt(program, node);
  const where = recorded === undefined ? "" : `${recorded.operation} (${recorded.place ?? "place unknown"}): `;
  return new Error(`${program.name}: ${where}${message.split("\n")[0] ?? ""}`, { cause });
}
