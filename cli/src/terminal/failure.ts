/** What a failed command says: what was found, what to do, and with `--json` the same as an object. */
import { messageOf, PretrainError } from "@pretrain/errors";
import { type Command, CommanderError } from "commander";
import { serviceAt } from "../service-addresses.ts";
import { certificateDoubt } from "./certificate-doubt.ts";
import { exitCodeOf } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** @param command that ran; undefined when what was typed names none */
export function tellFailure(
  thrown: unknown,
  terminal: Terminal,
  { json, command }: { readonly json: boolean; readonly command: Command | undefined },
): void {
  if (json) terminal.stderr.write(`${JSON.stringify({ error: failureObject(thrown, command) })}\n`);
  else if (!(thrown instanceof CommanderError))
    // it has said what it has to say
    terminal.stderr.write(`pretrain: ${failureText(thrown, command)}\n`);
}

function failureText(thrown: unknown, command: Command | undefined): string {
  const text = foundText(thrown, command);
  const mend = mendOf(thrown, command);
  return mend === "" ? text : `${text}\n${mend}`;
}

function failureObject(thrown: unknown, command: Command | undefined): object {
  const mend = mendOf(thrown, command);
  const shown = {
    exitCode: exitCodeOf(thrown),
    message: foundText(thrown, command).trim(),
    ...(mend !== "" && { mend }),
  };
  if (!(thrown instanceof PretrainError)) return shown;
  const { status, reason, metadata, violations } = thrown;
  return { ...shown, status, reason, metadata, violations };
}

/** What was found, in the words of somebody at a terminal: of a service that is not there, its name instead of the socket's errors. */
function foundText(thrown: unknown, command: Command | undefined): string {
  if (!isUnreachable(thrown)) return messageOf(thrown);
  const { address = "" } = thrown.metadata;
  const who = `the ${serviceAt(address, command?.opts() ?? {})?.called ?? "service"} at ${address}`;
  return `${who}${certificateDoubt(thrown) === undefined ? " does not answer" : `: ${certificateDoubt(thrown)?.found}`}`;
}

/** What to do where the error itself cannot know it: it was thrown by somebody who knows no command line. */
function mendOf(thrown: unknown, command: Command | undefined): string {
  if (thrown instanceof PretrainError && thrown.status === "UNAUTHENTICATED") return howToBeKnown;
  if (isForeign(thrown)) return `something else listens where a service is expected; "pretrain doctor" shows where`;
  if (!isUnreachable(thrown)) return "";
  const doubt = certificateDoubt(thrown);
  if (doubt !== undefined) return doubt.mend;
  if (isCutOff(thrown))
    return "it may speak TLS: name the file of its authority with --ca, or put https:// before its address";
  const service = serviceAt(thrown.metadata["address"] ?? "", command?.opts() ?? {});
  const elsewhere =
    service === undefined ? "" : `; if it runs elsewhere, say where with ${service.flag} or ${service.variable}`;
  return `start the system with "pretrain up"${elsewhere}; "pretrain doctor" shows what answers`;
}

const howToBeKnown =
  "show your key: its file with --api-key-file or PRETRAIN_API_KEY_FILE, or itself in PRETRAIN_API_KEY; " +
  'who keeps the installation makes one with "pretrain keys create"';

function isUnreachable(thrown: unknown): thrown is PretrainError {
  return thrown instanceof PretrainError && thrown.reason === "SERVICE_UNREACHABLE";
}

/** Something took the connection and ended it without a word: what speaks TLS does so to what does not. */
function isCutOff({ message }: PretrainError): boolean {
  return message.includes("http/2 stream closed");
}

/** The answer was of another protocol than gRPC's. */
function isForeign(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "ConnectError" && thrown.message.includes("Protocol error");
}
