/** What a function under trace did wrong, and where in its author's code. */

/** The message names the operation; the stack begins in the code that asked for it. */
export class TraceError extends Error {
  override readonly name = "TraceError";

  constructor(message: string, options?: ErrorOptions) {
    const place = placeInUserCode();
    super(place === undefined ? message : `${message} (${place})`, options);
  }
}

/** `attention.ts:58`, of the innermost caller that is neither tfjs nor this package; undefined when there is none. */
export function placeInUserCode(): string | undefined {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 60; // tfjs puts some twenty frames between an operation and who asked for it
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = before;
  for (const line of stack.split("\n").slice(1)) {
    const place = /(?:file:\/\/)?(\/[^()]+?):(\d+):\d+\)?$/.exec(line);
    const [, file = "", lineNumber = ""] = place ?? [];
    if (place === null || file.includes("/node_modules/") || isOfThisPackage(file)) continue;
    return `${file.slice(file.lastIndexOf("/") + 1)}:${lineNumber}`;
  }
  return undefined;
}

const packageFolder = new URL(".", import.meta.url).pathname;

function isOfThisPackage(file: string): boolean {
  return file.startsWith(packageFolder) && !file.endsWith(".test.ts");
}
