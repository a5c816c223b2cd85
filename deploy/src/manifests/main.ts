/** Writes anew what is made from other files under deploy/: the alerts as a resource, and the manifests of every overlay. */
import { writeAll } from "./rendered.ts";

for (const path of await writeAll()) console.log(path);
