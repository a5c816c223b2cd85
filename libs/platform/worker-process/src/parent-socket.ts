/** The pipe between a child and the process that started it: messages pass here, and its end says that the other side is gone. */
import { Socket } from "node:net";

/** The file number that `startChild` gives its children; so may others who start a process that is not to outlive them. */
const channelFile = 3;

/** Says to a process, by the process id of who started it, that the pipe is there. */
export const channelVariable = "PRETRAIN_STARTED_BY";

const isStartedByUs = process.env[channelVariable] === String(process.ppid);
delete process.env[channelVariable]; // it is no business of a process that this one starts

let socket: Socket | undefined;

/** Keeps the process alive from the first call on. Undefined in a process that was started otherwise: by hand, by the system. */
export function parentSocket(): Socket | undefined {
  if (!isStartedByUs || socket !== undefined) return socket;
  socket = new Socket({ fd: channelFile, readable: true, writable: true });
  socket.on("error", () => undefined); // "close" follows; what could not be written, its writer hears of
  return socket;
}
