/** What a function under trace did wrong, and where in its author's code. */

import { getCallSites } from "node:util";

/** Its message names the operation, and the place in the code that asked for it: `attention.ts:58`. */
export class TraceError extends Error {
  override readonly name = "TraceError";

  /** @param place where; by default where the innermost caller is that belongs neither to tfjs nor to this package */
  constructor(
    message: string,
    { place = placeInUserCode(), ...options }: ErrorOptions & { readonly place?: string | undefined } = {},
  ) {
    super(place === undefined ? message : `${message} (${place})`, options);
  }
}

/** tfjs puts some twenty frames between an operation and who asked for it; the usual ten would end before. */
export const traceStackDepth = 60;

/** What was thrown under trace, as a TraceError if it is tfjs that complains; an error of the user's own stays what it is. */
export function asTraceError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TraceError) return error;
  const [thrower] = filesOf(error.stack ?? "");
  if (thrower === undefined || !thrower.file.includes("/node_modules/@tensorflow/")) return error;
  return new TraceError(meaningOf(error.message), { cause: error, place: placeIn(error.stack ?? "") });
}

/** tfjs's own words, but where they speak of its insides. */
function meaningOf(message: string): string {
  if (!message.endsWith("(reading 'backend')")) return message; // what it looks up of a tensor that it no longer knows
  return "a tensor that was disposed of is used; one that was made in a trace ends with it";
}

/** `attention.ts:58`, of the innermost caller that is neither tfjs nor this package; undefined when there is none. */
export function placeInUserCode(): string | undefined {
  // As objects: this is asked for every operation, and a stack as text takes longer than the rest of the recording.
  for (const { scriptName, lineNumber } of getCallSites(traceStackDepth)) {
    const file = scriptName.replace("file://", "");
    if (isOfUser(file)) return place(file, lineNumber);
  }
  return undefined;
}

function placeIn(stack: string): string | undefined {
  for (const { file, line } of filesOf(stack)) {
    if (isOfUser(file)) return place(file, line);
  }
  return undefined;
}

function place(file: string, line: number): string {
  return `${file.slice(file.lastIndexOf("/") + 1)}:${line}`;
}

/** Frames within Node itself have no file and are left out. */
function* filesOf(stack: string): Generator<{ readonly file: string; readonly line: number }> {
  for (const [, file = "", line = ""] of stack.matchAll(/^ {4}at .*?(?:file:\/\/)?(\/[^()\n]+?):(\d+):\d+\)?$/gm)) {
    yield { file, line: Number(line) };
  }
}

const packageFolder = new URL(".", import.meta.url).pathname;

/** A file's absolute path: Node's own have none. */
function isOfUser(file: string): boolean {
  if (!file.startsWith("/") || file.includes("/node_modules/")) return false;
  return !file.startsWith(packageFolder) || file.endsWith(".test.ts");
}
