/** Paths, names and addresses that lead, or would lead somebody less careful, out of the folders that a service may read. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Outside {
  /** More than 200. */
  readonly paths: readonly string[];
  /** Files outside that have been read since. Empty where the file system does not say when a file was read. */
  readonly read: () => readonly string[];
}

const longAgo = new Date("2001-01-01T00:00:00Z");
const later = new Date("2001-01-01T00:00:01Z");

/**
 * Puts files beside `dataRoot` that nobody may read, and into it what leads there: links, a link to itself, a pipe that nobody
 * writes into.
 *
 * @param host `host:port` that must never be asked
 */
export function putOutside(dataRoot: string, host: string): Outside {
  const [outside, namesake] = [join(dirname(dataRoot), "outside"), `${dataRoot}-secret`];
  const canaries = [join(outside, "canary.jsonl"), join(namesake, "canary.jsonl"), join(outside, "tokenizer.json")];
  const control = join(dirname(dataRoot), "control");
  for (const folder of [outside, namesake]) mkdirSync(folder, { recursive: true });
  for (const file of [...canaries, control]) {
    writeFileSync(file, '{"text": "secret"}\n');
    utimesSync(file, longAgo, later); // as most are mounted, the next read moves the first time behind the second
  }
  linkInto(dataRoot, outside);
  const wasRead = (file: string) => statSync(file).atime.getTime() !== longAgo.getTime();
  return {
    paths: [...new Set([...climbing(dataRoot), ...absolute(dataRoot), ...linked, ...odd, ...addresses(host)])],
    read: () => {
      readFileSync(control);
      return wasRead(control) ? canaries.filter(wasRead) : [];
    },
  };
}

function linkInto(dataRoot: string, outside: string): void {
  const links = {
    "to-file.jsonl": join(outside, "canary.jsonl"),
    "to-folder": outside,
    "to-link.jsonl": "to-file.jsonl",
    "to-root": "/",
    "to-itself.jsonl": "to-itself.jsonl",
    "to-process.jsonl": "/proc/self/environ",
    "to-device.jsonl": "/dev/zero",
    "to-nothing.jsonl": join(outside, "missing.jsonl"),
    "to-above": "..",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(dataRoot, name));
  spawnSync("mkfifo", [join(dataRoot, "pipe.jsonl"), join(outside, "pipe.jsonl")]);
}

const linked = [
  "to-file.jsonl",
  "to-folder/canary.jsonl",
  "to-folder/pipe.jsonl",
  "to-link.jsonl",
  "to-root/etc/passwd",
  "to-itself.jsonl",
  "to-process.jsonl",
  "to-device.jsonl",
  "to-nothing.jsonl",
  "to-above/outside/canary.jsonl",
  "to-above/data-secret/canary.jsonl",
  "pipe.jsonl",
];

/** Every spelling of `..` and of the slash, some steps up, and what lies there. */
function climbing(dataRoot: string): string[] {
  const steps = [
    "../",
    "..//",
    "./../",
    "..\\",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%2f",
    "..%c0%af",
    "．．/",
    "‥/",
    "..;/",
    "../\0",
  ];
  const targets = ["outside/canary.jsonl", "etc/passwd", "proc/self/environ"];
  const climbed = steps.flatMap((step) =>
    [1, 3, 9, 40].flatMap((times) => targets.map((target) => step.repeat(times) + target)),
  );
  const below = ["../outside/canary.jsonl", "../data-secret/canary.jsonl", "..", "../", "../data"];
  return [...climbed, ...below, ...below.map((path) => join("a", path)), ...below.map((path) => `${dataRoot}/${path}`)];
}

function absolute(dataRoot: string): string[] {
  const beside = dirname(dataRoot);
  return [
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    "/proc/self/fd/0",
    "/proc/1/root/etc/passwd",
    "/dev/stdin",
    "/dev/zero",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
    `/proc/self/root${beside}/outside/canary.jsonl`,
    `/proc/self/cwd/../../etc/passwd`,
    `${beside}/outside/canary.jsonl`,
    `${beside}/outside/tokenizer.json`,
    `${beside}/data-secret/canary.jsonl`,
    `${dataRoot}-secret/canary.jsonl`,
    `${dataRoot}/../outside/canary.jsonl`,
    `${dataRoot}\0/../outside/canary.jsonl`,
    `${dataRoot}`,
    `${dataRoot}/`,
    `${dataRoot.toUpperCase()}/CHAPTERS.JSONL`,
  ];
}

const odd = [
  " ",
  ".",
  "./",
  "/",
  "~",
  "~root/.ssh/id_rsa",
  "$HOME/canary.jsonl",
  "chapters.jsonl\0",
  "chapters.jsonl\0.txt",
  "CHAPTERS.JSONL",

  "chapters.jsonl/..",
  "chapters.jsonl/../../outside/canary.jsonl",
  "chapters.jsonl ",
  "chapters․jsonl",
  "сhapters.jsonl",
  "chapters.jsonl\n",
  "chapters.jsonl\u202e",
  "CON",
  "C:\\Windows\\win.ini",
  "\\\\server\\share",
  "a".repeat(300),
  "a/".repeat(2000),
  "../".repeat(1300),
  "x".repeat(5000),
  "|cat /etc/passwd",
  "$(cat /etc/passwd)",
  "`cat /etc/passwd`",
  "-",
  "--help",
  "@/etc/passwd",
];

/** A service that took a path for an address would ask there. */
function addresses(host: string): string[] {
  return [
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "file:/etc/passwd",
    `http://${host}/latest/meta-data/iam/security-credentials/`,
    `http://user@${host}/`,
    `https://${host}/`,
    `//${host}/share`,
    `ftp://${host}/`,
    `gopher://${host}/_GET`,
    `s3://bucket/../${host}`,
    `s3://${host}/bucket/key`,
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://0251.0376.0251.0376/",
    "http://2852039166/",
    "data:text/plain,x",
    "jar:file:///etc/passwd!/",
  ];
}
