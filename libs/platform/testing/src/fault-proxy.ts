/**
 * A TCP proxy on loopback that does to connections what networks do. Whoever connects to it reaches the target, until a fault
 * is set; `heal` takes all faults back, and connections made from then on are as good as direct ones.
 *
 *     client ──▶ proxy ──▶ target      cut      both sides are reset after n more bytes, in the middle of a message
 *                                      hole     nothing passes and nothing is said; what was sent passes after healing
 *                                      orphan   the client's side is reset, the target still believes in it: the client comes
 *                                               back and the target has it twice, until healing resets the old one
 */
import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Starts a proxy to a port of 127.0.0.1. Disposing resets every connection and frees the port. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new FaultProxy(server, targetPort);
}

interface Link {
  readonly client: Socket;
  readonly target: Socket;
}

export class FaultProxy implements AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** Where new connections lead: changes when the target was started anew elsewhere. */
  targetPort: number;
  /** How long each piece of either direction is held back, in milliseconds. */
  delayMs = 0;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #orphans = new Set<Socket>();
  #passage: PromiseWithResolvers<void> | undefined;
  #bytesLeft = Number.POSITIVE_INFINITY;

  constructor(server: Server, targetPort: number) {
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.targetPort = targetPort;
    this.#server = server;
    server.on("connection", (client) => this.#connect(client));
  }

  /** Connections that live. */
  get connections(): number {
    return this.#links.size;
  }

  /** Resets all connections once `bytes` more have passed, both directions and all connections counted together. */
  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  /** Holds everything back until `heal`. */
  hole(): void {
    this.#passage ??= Promise.withResolvers();
  }

  /** Resets the clients' sides only, until `heal` resets the targets'. */
  orphan(): void {
    for (const link of this.#links) {
      this.#links.delete(link);
      this.#orphans.add(link.target);
      link.client.resetAndDestroy();
    }
  }

  /** Resets every connection. */
  reset(): void {
    for (const { client, target } of this.#links) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
    this.#links.clear();
  }

  /** Takes back every fault. What a hole held back passes now. */
  heal(): void {
    this.delayMs = 0;
    this.#bytesLeft = Number.POSITIVE_INFINITY;
    this.#passage?.resolve();
    this.#passage = undefined;
    for (const orphan of this.#orphans) orphan.resetAndDestroy();
    this.#orphans.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.reset();
    this.#server.close();
    await once(this.#server, "close");
  }

  #connect(client: Socket): void {
    const target = new Socket();
    const link = { client, target };
    this.#links.add(link);
    for (const side of [client, target]) side.on("error", () => undefined); // a reset is what it is here for
    client.on("close", () => this.#end(link));
    target.on("close", () => this.#end(link));
    target.connect(this.targetPort, "127.0.0.1");
    void this.#carry(client, target);
    void this.#carry(target, client);
  }

  /** One side is gone: so is the other, unless it is to outlive it as an orphan. */
  #end(link: Link): void {
    this.#links.delete(link);
    link.client.destroy();
    if (!this.#orphans.has(link.target)) link.target.destroy();
  }

  async #carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from) {
        if (this.delayMs > 0) await pause(this.delayMs);
        await this.#passage?.promise;
        if (!(await this.#pass(piece, to))) return;
      }
      if (!this.#orphans.has(to)) to.end();
    } catch {
      // The reading side was reset; its `close` ends the other one, unless that is an orphan.
    }
  }

  /** False when the cut came: the piece's beginning has passed, its end never will. */
  async #pass(piece: Buffer, to: Socket): Promise<boolean> {
    const passing = Math.min(piece.length, this.#bytesLeft);
    this.#bytesLeft -= passing;
    const hasRoom = to.write(piece.subarray(0, passing));
    if (passing < piece.length) {
      this.#bytesLeft = Number.POSITIVE_INFINITY; // one cut; who comes back is served
      await new Promise((resolve) => setImmediate(resolve)); // so that the beginning leaves before the reset
      this.reset();
      return false;
    }
    if (!hasRoom && !to.destroyed) await Promise.race([once(to, "drain"), once(to, "close")]);
    return true;
  }
}
