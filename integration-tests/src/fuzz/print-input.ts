/** One input again, to be looked at. */
import { inspect } from "node:util";
import type { FuzzTarget } from "@pretrain/testing";
import { HostileInputs } from "./hostile-inputs.ts";

/** Of that number, as base64 and as text, and what the parser makes of it. */
export async function printInput(file: string, seed: string, number: number): Promise<string> {
  const { default: target }: { default: FuzzTarget } = await import(file);
  const bytes = new HostileInputs(target, await target.seeds(), seed).at(number);
  const buffer = Buffer.from(bytes);
  const shown = [buffer.toString("base64").slice(0, 4000), inspect(buffer.toString("utf8").slice(0, 2000))];
  try {
    await target.take(bytes);
    return [...shown, "is taken"].join("\n");
  } catch (error) {
    return [...shown, inspect(error).slice(0, 4000)].join("\n");
  }
}
