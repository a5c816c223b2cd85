/** The `pretrain` command: everything a person does at a terminal. Where nothing is set up yet it says what is missing. */
import { findingsText } from "./doctor/finding.ts";
import { setUpFindings, thisSetUp } from "./doctor/set-up.ts";
import { checkoutRoot } from "./places.ts";

process.on("uncaughtException", endUnlessTold);
process.exitCode = await run();

async function run(): Promise<number> {
  try {
    const { runCommandLine } = await import("./run-command-line.ts");
    const { processTerminal } = await import("./terminal/terminal.ts");
    return await runCommandLine(process.argv.slice(2), processTerminal());
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    const findings = await setUpFindings(thisSetUp(checkoutRoot)); // packages or generated contracts are not there
    process.stderr.write(`this checkout is not set up (${error.message})\n\n${findingsText(findings)}\n`);
    return 1;
  }
}

/**
 * The client of HTTP/2 throws a second time, at nobody, when what listens at an address speaks another protocol. The call has
 * failed by then, and the command has said so.
 */
function endUnlessTold(error: unknown): void {
  if (error instanceof Error && "code" in error && error.code === "ERR_HTTP2_ERROR") return;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
