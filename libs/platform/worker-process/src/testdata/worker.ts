/** A worker that notes its start in a file, and then crashes, ends at once, or works until it is asked to stop. */
import { appendFileSync, readFileSync } from "node:fs";
import { terminationSignal } from "../index.ts";

const file = process.env["NOTES"] ?? "";
const behaviour = process.env["BEHAVIOUR"];
const asked = behaviour === "work" ? terminationSignal() : undefined; // before it says that it is there
appendFileSync(file, "start\n");
const starts = readFileSync(file, "utf8").split("start").length - 1;
if (behaviour === "crash-once" && starts === 1) process.abort();
if (asked !== undefined) appendFileSync(file, `${await asked}\n`);
