/** A rule over the manifests of one overlay: what no schema knows. */
import type { Manifest } from "../manifest.ts";

/** @returns what is wrong, each as a sentence that begins with what it is about; nothing where all is well */
export type Rule = (manifests: readonly Manifest[]) => readonly string[];

/** The fault if something is wrong, as a list for `flatMap`. */
export function when(isWrong: boolean, fault: string): readonly string[] {
  return isWrong ? [fault] : [];
}
