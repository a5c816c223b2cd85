/** What was tried and found, for a person: the table of docs/security-testing.md. */
import type { Outcome } from "./attack-server.ts";
import type { Trial } from "./try-parser.ts";

const columns = [
  "parser",
  "inputs",
  "refused",
  "crashes",
  "hangs",
  "slowest input",
  "peak heap",
  "peak RSS",
  "seconds",
];

export function tableHead(): string {
  return `| ${columns.join(" | ")} |\n|${" --- |".repeat(columns.length)}`;
}

export function tableRow({
  parser,
  inputs,
  refused,
  findings,
  slowestMs,
  heapBytes,
  rssBytes,
  seconds,
}: Trial): string {
  const hangs = findings.filter(({ kind }) => kind === "hang").length;
  const cells = [
    `\`${parser}\``,
    inputs.toLocaleString("en"),
    inputs === 0 ? "" : `${Math.round((100 * refused) / inputs)} %`,
    findings.length - hangs,
    hangs,
    `${slowestMs.toFixed(1)} ms`,
    `${Math.round(heapBytes / 2 ** 20)} MiB`,
    `${Math.round(rssBytes / 2 ** 20)} MiB`,
    seconds.toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

const attackColumns = ["attack", "sent", "others' calls", "failed", "slowest", "RSS behind it"];

export function attackHead(): string {
  return `| ${attackColumns.join(" | ")} |\n|${" --- |".repeat(attackColumns.length)}`;
}

export function attackRow({ attack, sentBytes, answered, failed, slowestMs, rssBytes }: Outcome): string {
  const [sent, rss] = [sentBytes, rssBytes].map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`);
  const cells = [attack, sent, answered, failed.length, `${slowestMs.toFixed(0)} ms`, rss];
  return `| ${cells.join(" | ")} |`;
}
