/** The attackers, in a process of their own: what they cost is not to be taken for what the server costs. `ADDRESS ATTACK MILLISECONDS` */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type Attack, attacks } from "./http2-attacks.ts";

/** One that no caller has. */
const ownAddress = "127.0.0.2";

const [address = "", attack = "", durationMs] = process.argv.slice(2);
const how = attacks[attack];
if (how === undefined) throw new Error(`no attack is called ${attack}`);
const over = AbortSignal.timeout(Number(durationMs));
const sent = { bytes: 0 };
await Promise.all(Array.from({ length: how.connections }, () => attackOn(address, how, over, sent)));
process.send?.(sent.bytes);
process.disconnect?.();

async function attackOn(address: string, how: Attack, over: AbortSignal, sent: { bytes: number }): Promise<void> {
  do {
    const [host = "", port] = address.split(":");
    const socket = connect({ host, port: Number(port), localAddress: ownAddress, noDelay: true });
    socket.on("error", () => undefined); // being cut off is what the server should do
    const ended = once(socket, "close").catch(() => undefined);
    const stop = () => socket.destroy();
    over.addEventListener("abort", stop, { once: true });
    await Promise.race([ended, sendAll(socket, how, over, sent)]);
    await ended;
    over.removeEventListener("abort", stop);
    await pause(5);
  } while (how.isRepeated === true && !over.aborted);
}

async function sendAll(
  socket: Socket,
  { opening, next, pauseMs }: Attack,
  over: AbortSignal,
  sent: { bytes: number },
): Promise<void> {
  const write = async (bytes: Buffer) => {
    sent.bytes += bytes.length;
    if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
  };
  await write(opening);
  for (let round = 0; next !== undefined && !socket.destroyed && !over.aborted; round += 1) {
    await write(next(round));
    await pause(pauseMs ?? 0); // also where there is none: reset and end are noticed between two turns
  }
}
