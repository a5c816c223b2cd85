/** A loopback port for a server whose command line wants a number. Prefer port 0 wherever the server can say what it got. */
import { createServer } from "node:net";

/** A TCP port of 127.0.0.1 that was free a moment ago; the system hands out others first, so a clash is unlikely. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close((error) => (error === undefined ? resolve(port) : reject(error)));
    });
  });
}
