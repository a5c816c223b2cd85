/** Processes that start, talk to, watch over and end each other. */

export { gpuFault } from "./gpu-fault.ts";
export { kinds, type Message, type MessageGuard } from "./messages.ts";
export { openParentChannel, type ParentChannel } from "./parent-channel.ts";
export { channelVariable } from "./parent-socket.ts";
export { processorTimeMs } from "./processor-time.ts";
export { type Child, type ChildExit, type ChildOptions, startChild } from "./start-child.ts";
export { steadyNow } from "./steady-now.ts";
export { type Supervised, type SupervisorOptions, superviseWorker } from "./supervise-worker.ts";
export { terminationSignal } from "./termination-signal.ts";
export { workerExit } from "./worker-exit.ts";
