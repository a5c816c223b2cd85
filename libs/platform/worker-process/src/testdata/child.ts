/** The other side of the tests: does what it is told, so that each way to end can be tried. */
import { writeSync } from "node:fs";
import { kinds, openParentChannel } from "../index.ts";

export type ToChild =
  | { readonly kind: "echo"; readonly values: Float32Array }
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "abort" }
  | { readonly kind: "block" }
  | { readonly kind: "say"; readonly what: unknown }
  /** Past all that would make a message of it, as a library does that writes to the wrong file. */
  | { readonly kind: "scribble"; readonly bytes: Uint8Array };

export type FromChild =
  | { readonly kind: "ready"; readonly environment: readonly string[]; readonly grandchild?: number }
  | { readonly kind: "echo"; readonly values: Float32Array }
  | { readonly kind: "blocking" };

const parent = openParentChannel<ToChild, FromChild>({
  receives: kinds<ToChild>({ echo: true, exit: true, abort: true, block: true, say: true, scribble: true }),
  onMessage: (message) => void obey(message),
});

async function obey(message: ToChild): Promise<void> {
  switch (message.kind) {
    case "echo":
      return parent.send({ kind: "echo", values: message.values.map((value) => value * 2) });
    case "exit":
      return process.exit(message.code);
    case "abort":
      process.stderr.write("about to abort\n");
      return process.abort();
    case "block":
      await parent.send({ kind: "blocking" });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // like native code: the event loop stands still
      return;
    case "say":
      return parent.send(message.what as FromChild);
    case "scribble":
      writeSync(3, message.bytes);
  }
}

await parent.send({ kind: "ready", environment: Object.keys(process.env) });
