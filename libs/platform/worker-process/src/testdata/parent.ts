/** A parent that starts a child, makes it block, says both process ids and waits to be killed. */
import { kinds, startChild } from "../index.ts";
import type { FromChild, ToChild } from "./child.ts";

const child = await startChild<ToChild, FromChild>({
  module: new URL("./child.ts", import.meta.url),
  environment: process.env,
  receives: kinds<FromChild>({ ready: true, echo: true, blocking: true }),
  onMessage: ({ kind }) => {
    if (kind === "blocking") console.log(child.processId);
  },
});
if (process.argv[2] === "block") await child.send({ kind: "block" });
else await child.send({ kind: "ignoreTermination" });
