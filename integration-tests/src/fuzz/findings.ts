/** What a parser must never do with an input, whatever the input is. */
import { PretrainError } from "@pretrain/errors";
import type { FuzzTarget } from "@pretrain/testing";

export interface Finding {
  /** `crash`: another error than a refusal. `hang`: too much processor time. `message`: a refusal that says too much. `ended`: no answer at all. */
  readonly kind: "crash" | "hang" | "message" | "ended";
  readonly input: number;
  readonly what: string;
}

/** In one input, of the processor's time: a longer one keeps a process from answering others. */
export const hangMs = 100;
/** Of the message of a refusal, in characters: it becomes a header of gRPC and a line of the log. */
const messageLimit = 4096;

/** What is wrong with an error that a parser threw, if anything is. */
export function faultOf(thrown: unknown, target: FuzzTarget): Pick<Finding, "kind" | "what"> | undefined {
  const isRefusal = thrown instanceof PretrainError || target.refuses?.(thrown) === true;
  if (!isRefusal) return { kind: "crash", what: shown(thrown) };
  const { length } = thrown instanceof Error ? thrown.message : String(thrown);
  return length > messageLimit ? { kind: "message", what: `${length} characters: ${shown(thrown)}` } : undefined;
}

function shown(thrown: unknown): string {
  const text = thrown instanceof Error ? `${thrown.stack ?? thrown.message}` : String(thrown);
  const lines = text.split("\n");
  const [first = ""] = lines;
  const places = lines.filter((line) => /^\s+at /.test(line)).slice(0, 3);
  return [first.slice(0, 200), ...places].join("\n");
}
