/** A report service and a broker on copies of what a run has left: started, let come to rest, stopped, again and again. */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, serviceAddresses, startService } from "@pretrain/cli";
import { startNatsServer } from "@pretrain/nats-server";
import { until } from "@pretrain/testing";
import { ledgerContent } from "../oracle/event-rows.ts";
import { brokerStore } from "../system/chaos-system.ts";

/** @param folder of the run, whose system was stopped */
export async function ledgerReader(folder: string) {
  const original = join(folder, "state");
  const state = join(folder, "state-of-flips");
  mkdirSync(join(state, "logs"), { recursive: true });
  for (const part of ["report", "blobs"]) cpSync(join(original, part), join(state, part), { recursive: true });
  const expected = idsIn(state);
  const addresses = await serviceAddresses("free");
  return {
    state,
    /** The ledger's file may be damaged; afterwards it is what the service has made of it. */
    async serve(): Promise<void> {
      rmSync(join(state, "nats"), { recursive: true, force: true });
      cpSync(brokerStore(folder), join(state, "nats"), { recursive: true });
      for (const ending of ["-wal", "-shm"]) rmSync(join(state, "report", `ledger.sqlite${ending}`), { force: true });
      await using broker = await startNatsServer({ port: 0, storeDirectory: join(state, "nats") });
      const blobsUrl = `file://${join(state, "blobs")}`;
      const surroundings = { stateDirectory: state, dataRoots: [state], addresses, natsUrl: broker.url, blobsUrl };
      const logFile = join(state, "logs", "report.log");
      await using report = await startService({
        name: "report",
        environment: environmentOf("report", surroundings),
        logFile,
      });
      await report.serving(addresses.report.grpc);
      await until(() => expected.isSubsetOf(idsIn(state)), { timeoutMs: 30_000 }).catch(() => undefined); // then it is less, and found
    },
  };
}

function idsIn(state: string): Set<string> {
  return new Set(ledgerContent(join(state, "report", "ledger.sqlite"), "reference").events.map(({ id }) => id));
}
