/** A whole experiment where everybody is known by a certificate, and the broker lets each do what it is for and nothing else. */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "@nats-io/transport-node";
import { environmentOf, type ServiceName, serviceAddresses, serviceNames, startService } from "@pretrain/cli";
import { brokerPermissions } from "@pretrain/events";
import { ensureNatsServer, startNatsServer } from "@pretrain/nats-server";
import { createLog } from "@pretrain/observability";
import { Report_Completeness, ReportService, Experiment_State as State, TrainerService } from "@pretrain/proto";
import { connectClient } from "@pretrain/rpc";
import { freePort, temporaryDirectory, until } from "@pretrain/testing";
import { openTls } from "@pretrain/tls";
import { createAuthority } from "@pretrain/tls/authority";
import { writeChapters } from "./chapters.ts";
import { tinyRecipe } from "./tiny-recipe.ts";

const patience = { timeoutMs: 180_000 };
const finalStates: readonly State[] = [State.COMPLETED, State.FAILED, State.CANCELLED];

test("given certificates for all and a broker with permissions, an experiment completes with its record, a viewer hears its steps, and nothing was refused", async (t) => {
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const directory = temporaryDirectory(t);
  const [dataRoot, stateDirectory] = [join(directory, "data"), join(directory, "state")];
  for (const folder of [dataRoot, join(stateDirectory, "logs")]) await mkdir(folder, { recursive: true });
  await writeChapters(join(dataRoot, "chapters.jsonl"));
  const certificates = (identity: string) => join(directory, "certificates", identity);
  const authority = await createAuthority();
  for (const name of ["nats", ...brokerPermissions.map((each) => each.name)]) {
    await authority.issue(certificates(name), { name });
  }

  await ensureNatsServer();
  const refusals: string[] = [];
  const broker = running.use(
    await startNatsServer({
      port: 0,
      storeDirectory: join(stateDirectory, "nats"),
      access: { certificates: certificates("nats"), users: brokerPermissions },
      onLogLine: (line) => / Violation /.test(line) && refusals.push(line),
    }),
  );
  const addresses = await serviceAddresses("free");
  const start = async (name: ServiceName) => {
    const health = `127.0.0.1:${await freePort()}`;
    const surroundings = { stateDirectory, dataRoots: [dataRoot], addresses, natsUrl: broker.url };
    const environment = {
      ...environmentOf(name, surroundings),
      PRETRAIN_TLS: certificates(name),
      PRETRAIN_WORKER_TLS: certificates(`${name}-worker`),
      PRETRAIN_HEALTH_ADDRESS: health,
      PRETRAIN_EVALUATION_NICENESS: "0",
    };
    const service = running.use(
      await startService({ name, environment, logFile: join(stateDirectory, "logs", `${name}.log`) }),
    );
    await service.serving(health);
    return service;
  };
  const trainerProcess = await start("trainer"); // first: it alone makes the streams
  await Promise.all(serviceNames.filter((name) => name !== "trainer").map(start));

  const steps: string[] = [];
  const [cert, key, ca] = await Promise.all(
    ["tls.crt", "tls.key", "ca.crt"].map((file) => readFile(join(certificates("viewer"), file), "utf8")),
  );
  assert.ok(cert && key && ca);
  const viewer = await connect({ servers: broker.url, tls: { cert, key, ca } });
  running.defer(() => viewer.close());
  viewer.subscribe("pretrain.metrics.>", { callback: (_, message) => void steps.push(message.subject) });

  const tls = running.use(openTls(certificates("viewer"), { log: createLog("test", "error") }));
  using trainer = connectClient(TrainerService, addresses.trainer.grpc, { tls });
  using reports = connectClient(ReportService, addresses.report.grpc, { tls });
  const { name } = await trainer.startExperiment({ experimentId: "closed", recipe: tinyRecipe });
  const ended = () => trainer.getExperiment({ name }).then(({ state }) => finalStates.includes(state) && state);
  assert.equal(await until(ended, patience), State.COMPLETED, await readFile(trainerProcess.logFile, "utf8"));
  const report = { name: `${name}/report` };
  const isFinal = async () => (await reports.getReport(report)).completeness === Report_Completeness.FINAL;
  await until(isFinal, patience);
  assert.ok((await reports.verifyReport(report)).sound);
  assert.ok(steps.includes("pretrain.metrics.closed.step"));
  assert.deepEqual(refusals, []);
});
