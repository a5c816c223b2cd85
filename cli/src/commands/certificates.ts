/** `certificates`: who the processes are, for a set-up without a cert-manager: an authority, and a folder for each identity. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { FailedPrecondition, InvalidArgument } from "@pretrain/errors";
import { tlsFiles } from "@pretrain/tls";
import { Argument, type Command } from "commander";
import { certificateIn, daysLeft } from "../identities/certificate-in.ts";
import { processNames } from "../identities/process-names.ts";
import type { AnswerOptions } from "../terminal/answer.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { defineCommand } from "./define-command.ts";
import { wholeNumber } from "./numbers.ts";

interface Options extends AnswerOptions {
  readonly for: readonly string[];
  readonly hosts: readonly string[];
  readonly days: number;
}

const ofThisMachine = ["localhost", "127.0.0.1", "::1"];

export function addCertificatesCommand(program: Command, terminal: Terminal): void {
  defineCommand(program, terminal, {
    usage: "certificates",
    description:
      "make certificates for the processes of the system, or new ones in place of those that are there, in a folder for each; the authority that signs them is kept there",
    example: "certificates create ~/pretrain-tls --hosts gpu-1.example.org",
  })
    .addArgument(new Argument("<action>", "what to do").choices(["create", "renew"]))
    .argument("<folder>", "where they are; PRETRAIN_TLS is <folder>/<identity>")
    .option("--for <identity...>", "for these alone; all, or all that are there, if not given", [])
    .option("--hosts <host...>", "more names and addresses that they are called by; renewed ones keep theirs", [])
    .option("--days <count>", "how long they are valid", wholeNumber(1), 90)
    .action(async (action: "create" | "renew", given: string, options: Options) => {
      const folder = resolve(terminal.folder, given);
      const names = action === "create" ? toBeMade(folder, options) : toBeRenewed(folder, options);
      const { openKeptAuthority } = await import("../identities/kept-authority.ts"); // its library loads longer than most commands take
      const authority = await openKeptAuthority(folder);
      for (const name of names) {
        const certificate = join(folder, name, tlsFiles.certificate);
        const before = action === "renew" ? certificateIn(certificate).hosts : [name, ...ofThisMachine];
        const hosts = [...new Set([...before, ...options.hosts])];
        await authority.issue(join(folder, name), { name, hosts, validDays: options.days });
      }
      tell(folder, names, options, terminal);
    });
}

/** Those that are not there yet: what was cut off goes on. @throws FailedPrecondition when there is none left to be made */
function toBeMade(folder: string, { for: asked }: Options): readonly string[] {
  const names = asked.length > 0 ? asked : processNames;
  const odd = names.find((name) => !/^[a-z][a-z0-9-]{0,62}$/.test(name) || name === "authority");
  if (odd !== undefined) {
    const description = `${JSON.stringify(odd)} is no identity; such as ${processNames.slice(0, 3).join(", ")} is expected`;
    throw new InvalidArgument([{ field: "--for", description }]);
  }
  const missing = names.filter((name) => !existsSync(join(folder, name, tlsFiles.certificate)));
  if (missing.length > 0) return missing;
  const message = `${folder} has certificates for ${names.join(", ")} already; "pretrain certificates renew" replaces them`;
  throw new FailedPrecondition("CERTIFICATES_THERE", message, { folder });
}

/** @throws FailedPrecondition when there is none of them */
function toBeRenewed(folder: string, { for: asked }: Options): readonly string[] {
  const isThere = (name: string) => existsSync(join(folder, name, tlsFiles.certificate));
  const there = existsSync(folder) ? readdirSync(folder).filter(isThere).sort() : [];
  const missing = asked.filter((name) => !there.includes(name));
  if (missing.length === 0 && there.length > 0) return asked.length > 0 ? asked : there;
  const message = `${folder} has no certificate for ${missing.join(", ") || "anybody"}; "pretrain certificates create" makes them`;
  throw new FailedPrecondition("CERTIFICATES_MISSING", message, { folder });
}

function tell(folder: string, names: readonly string[], { json = false }: Options, { stdout }: Terminal): void {
  const made = names.map((name) => {
    const facts = certificateIn(join(folder, name, tlsFiles.certificate));
    return { identity: name, folder: join(folder, name), hosts: facts.hosts, daysLeft: daysLeft(facts, Date.now()) };
  });
  if (json) for (const each of made) stdout.write(`${JSON.stringify(each)}\n`);
  else {
    const rows = made.map((each) => [each.identity, `${each.daysLeft} days`, each.hosts.join(" ")]);
    stdout.write(`${table([["identity", "valid", "called"], ...rows])}\n`);
  }
}
