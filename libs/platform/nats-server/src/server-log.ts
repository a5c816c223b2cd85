/**
 * The server's log on its stderr. It is read to the server's end: a closed pipe would kill the server at its next line.
 */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface Addresses {
  readonly url: string;
  readonly monitoringUrl: string;
}

export interface ServerLog {
  /** Resolves at the line "Server is ready"; never, if that line does not come. */
  readonly ready: Promise<Addresses>;
  /** At most twenty lines, oldest first, each cut to 500 characters. */
  lastLines(): readonly string[];
}

export function readServerLog(stderr: Readable, onLine: (line: string) => void = () => {}): ServerLog {
  const lines: string[] = [];
  const { promise: ready, resolve } = Promise.withResolvers<Addresses>();
  const addresses = { url: "", monitoringUrl: "" };
  createInterface({ input: stderr }).on("line", (line) => {
    onLine(line);
    lines.push(line.slice(0, 500));
    if (lines.length > 20) lines.shift();
    addresses.monitoringUrl ||= announced("http", /Starting http monitor on (\S+)/, line);
    addresses.url ||= announced("nats", /Listening for client connections on (\S+)/, line);
    if (line.endsWith("Server is ready")) resolve(addresses);
  });
  return { ready, lastLines: () => [...lines] };
}

function announced(scheme: string, pattern: RegExp, line: string): string {
  const address = pattern.exec(line)?.[1];
  return address === undefined ? "" : `${scheme}://${address}`;
}
