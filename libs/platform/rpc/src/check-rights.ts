/** No method sees a request of somebody who may not make it. */
import type { Interceptor } from "@connectrpc/connect";
import { callRecord } from "./call-record.ts";
import { inspected } from "./call-streams.ts";
import type { Gate } from "./gate.ts";

export function checkRights(gate: Gate): Interceptor {
  return (next) => async (request) => {
    const record = request.contextValues.get(callRecord);
    if (request.stream) {
      const message = inspected(request.message, (each) => gate.expectAllowed(request.method, each, record));
      return await next({ ...request, message });
    }
    gate.expectAllowed(request.method, request.message, record);
    const response = await next(request);
    if (record !== undefined) record.isDone = true;
    return response;
  };
}
