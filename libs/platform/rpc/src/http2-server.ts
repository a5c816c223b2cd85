/** The HTTP/2 server below gRPC: its limits, and the end of its sessions. */
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from "node:http2";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Tls, TlsMaterial } from "@pretrain/tls";
import type { CallHandler } from "./call-handler.ts";

const maximumConnections = 256;
const maximumHeaderBytes = 16_384;
const idleSessionMs = 600_000;
const pingEveryMs = 60_000;
const pongWithinMs = 20_000;
const handshakeWithinMs = 10_000;

const limits = {
  maxSessionMemory: 16,
  // Streams that a caller may take back: at once, and a second from then on. A call that is taken back at once has cost us, not the caller.
  streamResetBurst: 100,
  streamResetRate: 20,
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: maximumHeaderBytes },
} as const;

export interface Sessions {
  /** GOAWAY to all: no new calls, those in flight go on. Resolves when all sessions are gone, or after `patienceMs`. */
  drain(patienceMs: number): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export interface Http2Options {
  /** None: without TLS. */
  readonly tls: Tls | undefined;
  /** How many connections one address may hold; as many as the server takes if not given. */
  readonly connectionsPerAddress?: number | undefined;
}

export interface Http2Listener {
  readonly server: Http2Server | Http2SecureServer;
  readonly sessions: Sessions;
}

export function createHttp2Server(handler: CallHandler, options: Http2Options): Http2Listener {
  const { tls, connectionsPerAddress = maximumConnections } = options;
  const server = tls === undefined ? createServer(limits) : secureServer(tls);
  server.maxConnections = maximumConnections;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    const { remoteAddress } = socket;
    const ofAddress = [...sockets].filter((other) => other.remoteAddress === remoteAddress).length;
    if (ofAddress >= connectionsPerAddress) return void socket.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const open = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    open.add(session);
    session.once("close", () => open.delete(session));
    session.on("error", () => session.destroy()); // a caller that breaks the protocol or the connection harms only itself
    session.setTimeout(idleSessionMs, () => session.close());
    pingUntilClosed(session);
    session.on("stream", (stream, headers, _flags, rawHeaders) => {
      stream.on("error", () => undefined); // of a caller that breaks its call off: it harms only itself
      if (headerBytes(rawHeaders) <= maximumHeaderBytes) handler({ stream, headers, rawHeaders });
      else stream.respond({ ":status": 431 }, { endStream: true }); // the setting above only asks the caller, it does not refuse
    });
  });
  return {
    server,
    sessions: { drain: (patienceMs) => drain(open, patienceMs), destroy: () => destroyAll([...open, ...sockets]) },
  };
}

/**
 * A caller without a certificate is let in: its token says who it is. One whose certificate another authority signed is nobody, too. A
 * certificate that replaces ours is shown to connections that are made from then on.
 */
function secureServer(tls: Tls): Http2SecureServer {
  const server = createSecureServer({
    ...limits,
    ...contextOf(tls.material),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeWithinMs,
  });
  tls.onChange((material) => server.setSecureContext(contextOf(material)));
  return server;
}

function contextOf({ certificate, key, authority }: TlsMaterial) {
  return { cert: certificate, key, ca: authority, minVersion: "TLSv1.3" } as const;
}

/** A caller whose machine vanished sends no end: without an answer to a ping its streams would be held for ever. */
function pingUntilClosed(session: ServerHttp2Session): void {
  const timer = setInterval(() => {
    const late = setTimeout(() => session.destroy(), pongWithinMs).unref();
    const isSent = !session.destroyed && session.ping(() => clearTimeout(late));
    if (!isSent) clearTimeout(late);
  }, pingEveryMs).unref();
  session.once("close", () => clearInterval(timer));
}

async function drain(open: ReadonlySet<ServerHttp2Session>, patienceMs: number): Promise<void> {
  const closed = [...open].map((session) => new Promise<void>((resolve) => void session.once("close", resolve)));
  for (const session of open) session.close();
  const patience = new AbortController();
  const tooLate = pause(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([Promise.all(closed), tooLate]);
  patience.abort();
}

/** Sockets too: a destroyed session only ends its socket, which stays open as long as the caller does not read what was sent. */
function destroyAll(open: readonly (ServerHttp2Session | Socket)[]): void {
  for (const each of open) each.destroy();
}

function headerBytes(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, 0);
}
