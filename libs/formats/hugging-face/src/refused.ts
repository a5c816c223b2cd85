/** The one error of files that cannot be imported. */
import { FailedPrecondition } from "@pretrain/errors";

/** @param file where the fault is   @param fault what was found, and what is expected */
export function refused(file: string, fault: string, cause?: unknown): FailedPrecondition {
  return new FailedPrecondition("IMPORT_REFUSED", `${file}: ${fault}`, { file }, { cause });
}

/** A JSON value from a file, however deep, fit for a message: of bounded length. */
export function shownValue(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 100) ?? "nothing";
  } catch {
    return "a value that is nested too deeply to be shown"; // it is read without recursion, and not always written so
  }
}

/** A text from a file, fit for a message: quoted, its control characters escaped, of bounded length. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
