/** Which rows are kept apart from training, by a rule that anyone can repeat with nothing but the text. */
import { createHash } from "node:crypto";

/**
 * True when the first 8 hex digits of the SHA-256 of the text without its markers are divisible by `every`: about one row in
 * `every`. Equal texts have equal hashes, so the same text is never on both sides.
 *
 * @param text without markers   @param every 0: never
 */
export function isForValidation(text: string, every: number): boolean {
  if (every === 0) return false;
  return Number.parseInt(createHash("sha256").update(text).digest("hex").slice(0, 8), 16) % every === 0;
}
