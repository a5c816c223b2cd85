/** `keys`: by what people and their programs are known. A key is shown once; the access file has its SHA-256 alone. */
import { resolve } from "node:path";
import { createApiKey, type Role, roles } from "@pretrain/access";
import { InvalidArgument } from "@pretrain/errors";
import { Argument, type Command, Option } from "commander";
import { accessEntry, addEntry, entryText, replaceKey } from "../identities/access-entry.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";

interface Options extends AnswerOptions {
  readonly name: string;
  readonly role: Role;
  readonly resources: readonly string[];
  readonly into?: string;
}

export function addKeysCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "keys",
    description:
      "make a key for somebody, or another one in place of the one before, and show it this once; services have what is written into the file within seconds",
    example: "keys create --name ada --role researcher --resources 'experiments/ada-*' --into access.yaml",
  })
    .addArgument(new Argument("<action>", "what to do").choices(["create", "renew"]))
    .requiredOption("--name <name>", "of whoever holds it, as in the audit log")
    .addOption(new Option("--role <role>", "what that one may be").choices(roles).default("viewer"))
    .option(
      "--resources <pattern...>",
      "what the role is for, such as 'experiments/ada-*'; everything, if not given",
      [],
    )
    .option("--into <file>", "access file (PRETRAIN_ACCESS) to write the entry into; else it is shown, to be put there")
    .action(async (action: "create" | "renew", options: Options) => {
      if (action === "create") await create(options, terminal);
      else await renew(options, terminal);
    });
}

async function create({ name, role, resources, into, json = false }: Options, terminal: Terminal): Promise<void> {
  const { key, sha256 } = createApiKey();
  const entry = accessEntry(name, sha256, role, resources);
  if (into !== undefined) await addEntry(resolve(terminal.folder, into), entry);
  if (json) return void terminal.stdout.write(`${JSON.stringify({ key, entry })}\n`);
  terminal.stdout.write(`${key}\n`);
  if (into === undefined)
    terminal.stderr.write(`\nThe key is shown this once. In the access file:\n\n${entryText(entry)}`);
  else terminal.stderr.write(`${into} knows it from now on; it is shown this once\n`);
}

async function renew({ name, into, json = false }: Options, terminal: Terminal): Promise<void> {
  if (into === undefined)
    throw new InvalidArgument([{ field: "--into", description: "names the access file whose entry gets another key" }]);
  const { key, sha256 } = createApiKey();
  await replaceKey(resolve(terminal.folder, into), name, sha256);
  terminal.stdout.write(json ? `${JSON.stringify({ key })}\n` : `${key}\n`);
  if (!json) terminal.stderr.write(`the key that ${name} had counts no more within seconds\n`);
}
