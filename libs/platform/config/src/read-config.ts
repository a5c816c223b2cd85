/** From environment variables to a typed value, or to one error that names all that is wrong with them. */
import { InvalidArgument, type Violation } from "@pretrain/errors";
import * as v from "valibot";

/** One variable of the environment: its name, what its text must be, and the text that stands for it when it is not set. */
export interface Variable<T> {
  readonly name: string;
  readonly kind: v.GenericSchema<string, T>;
  readonly defaultText: string | undefined;
}

export type Variables = Readonly<Record<string, Variable<unknown>>>;

type Config<V extends Variables> = { readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never };

/** A variable that must be set unless `defaultText` is given. An empty value counts as not set. */
export function variable<T>(name: string, kind: v.GenericSchema<string, T>, defaultText?: string): Variable<T> {
  return { name, kind, defaultText };
}

/**
 * @param environment usually `process.env`, read once at the start of `main.ts`
 * @returns the values under the keys of `variables`
 * @throws InvalidArgument whose violations name every variable that is missing or cannot be read
 */
export function readConfig<V extends Variables>(
  variables: V,
  environment: Readonly<Record<string, string | undefined>>,
): Config<V> {
  const read = Object.entries(variables).map(([key, each]) => [key, readVariable(each, environment)] as const);
  const [first, ...rest] = read.flatMap(([, { violations }]) => violations);
  if (first !== undefined) throw new InvalidArgument([first, ...rest]);
  return Object.fromEntries(read.map(([key, { value }]) => [key, value])) as Config<V>;
}

interface Reading {
  readonly value?: unknown;
  readonly violations: readonly Violation[];
}

function readVariable({ name, kind, defaultText }: Variable<unknown>, environment: Record<string, string | undefined>) {
  const text = environment[name] || defaultText;
  if (text === undefined) return fault(name, "is not set");
  const result = v.safeParse(kind, text);
  if (result.success) return { value: result.output, violations: [] };
  return fault(name, `is ${JSON.stringify(text)}; ${result.issues.map(({ message }) => message).join("; ")}`);
}

function fault(field: string, description: string): Reading {
  return { violations: [{ field, description }] };
}
