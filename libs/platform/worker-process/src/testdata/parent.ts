/** A parent that starts a child, makes it block or leaves it listening, says its process id and waits to be killed. */
import { kinds, startChild } from "../index.ts";
import type { FromChild, ToChild } from "./child.ts";

const blocks = process.argv[2] === "block";
const child = await startChild<ToChild, FromChild>({
  module: new URL("./child.ts", import.meta.url),
  environment: process.env,
  receives: kinds<FromChild>({ ready: true, echo: true, blocking: true }),
  onMessage: ({ kind }) => {
    if (kind === (blocks ? "blocking" : "ready")) console.log(child.processId);
  },
});
if (blocks) await child.send({ kind: "block" });
