/** Where the module is that makes a process's date jump: `NODE_OPTIONS=--import=<this>`. */
import { fileURLToPath } from "node:url";

export const jumpingDateModule = fileURLToPath(new URL("./jumping-date.ts", import.meta.url));
