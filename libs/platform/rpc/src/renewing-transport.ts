/** A connection whose certificate is replaced while it is in use: calls that begin from then on use a new one. */
import type { Transport } from "@connectrpc/connect";

export interface OpenTransport {
  readonly transport: Transport;
  /** Cuts its calls. */
  readonly close: () => void;
}

/**
 * @param open makes a transport with what is known now
 * @param onChange is given what to call when a new one is needed
 */
export function renewingTransport(
  open: () => OpenTransport,
  onChange: ((renew: () => void) => void) | undefined,
): OpenTransport {
  let current = open();
  const former: OpenTransport[] = [];
  let isClosed = false;
  onChange?.(() => {
    if (isClosed) return;
    former.push(current); // its calls end when they end; idle, it closes by itself
    current = open();
  });
  return {
    transport: {
      unary: (...call) => current.transport.unary(...call),
      stream: (...call) => current.transport.stream(...call),
    },
    close() {
      isClosed = true;
      for (const { close } of [...former, current]) close();
    },
  };
}
