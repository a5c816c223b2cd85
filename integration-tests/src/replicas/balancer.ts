/** One address for several instances of a service, as a Service of a cluster is: each connection goes to the next instance that takes it. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Ports on 127.0.0.1 that new connections go to. */
  #targets: readonly number[] = [];
  #turn = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (client) => void this.#carry(client));
  }

  /** host:port */
  get address(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  /** Connections that are open stay where they are. @param addresses host:port of each instance */
  leadTo(addresses: readonly string[]): void {
    this.#targets = addresses.map((each) => Number(each.slice(each.lastIndexOf(":") + 1)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #carry(client: Socket): Promise<void> {
    this.#keep(client);
    const target = await this.#connected();
    if (target === undefined || client.destroyed) {
      target?.destroy();
      return void client.resetAndDestroy();
    }
    this.#keep(target);
    client.on("close", () => target.destroy());
    target.on("close", () => client.destroy());
    client.pipe(target).pipe(client);
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => undefined); // its close ends the other side
    socket.on("close", () => this.#open.delete(socket));
  }

  /** Undefined when no instance takes the connection. */
  async #connected(): Promise<Socket | undefined> {
    for (const _ of this.#targets) {
      this.#turn += 1;
      const socket = connect(this.#targets[this.#turn % this.#targets.length] ?? 0, "127.0.0.1");
      try {
        await once(socket, "connect");
        return socket;
      } catch {
        socket.destroy(); // the next one, then
      }
    }
    return undefined;
  }
}

export async function startBalancer(): Promise<Balancer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new Balancer(server);
}
