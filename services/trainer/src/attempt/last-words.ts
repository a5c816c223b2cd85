/** What an attempt says of its own end: the end is written down also when the disk is too full for the words. */
import { messageOf, ResourceExhausted } from "@pretrain/errors";
import type { Log } from "@pretrain/observability";

export function lastWords(log: Log, say: () => void): void {
  try {
    say();
  } catch (error) {
    if (!(error instanceof ResourceExhausted)) throw error;
    log.warn({ reason: messageOf(error) }, "an event about the attempt's end cannot be kept");
  }
}
