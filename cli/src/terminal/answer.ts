/** The answer of a command: a text for a person, or with `--json` ProtoJSON, one object a line. */
import { type DescMessage, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import { Option } from "commander";
import type { Terminal } from "./terminal.ts";

export interface AnswerOptions {
  readonly json?: boolean;
}

/** Every command has it. */
export function jsonOption(): Option {
  return new Option("--json", "answer as ProtoJSON, one object a line; errors as JSON on the standard error");
}

/** A message as its text, or as a line of JSON. */
export function answer<Schema extends DescMessage>(
  { stdout }: Terminal,
  { json = false }: AnswerOptions,
  schema: Schema,
  message: MessageShape<Schema>,
  text: (message: MessageShape<Schema>) => string,
): void {
  stdout.write(`${json ? toJsonString(schema, message) : text(message)}\n`);
}

/** Several messages as one text, or each as a line of JSON. */
export function answerList<Schema extends DescMessage>(
  { stdout }: Terminal,
  { json = false }: AnswerOptions,
  schema: Schema,
  messages: readonly MessageShape<Schema>[],
  text: (messages: readonly MessageShape<Schema>[]) => string,
): void {
  stdout.write(json ? messages.map((message) => `${toJsonString(schema, message)}\n`).join("") : `${text(messages)}\n`);
}
