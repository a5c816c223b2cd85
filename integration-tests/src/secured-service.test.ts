/** A service that asks who calls, as a real process: a stranger with grpcurl, a key and the authority's certificate. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { createApiKey } from "@pretrain/access";
import { startService } from "@pretrain/cli";
import { brokerPermissions } from "@pretrain/events";
import { freePort } from "@pretrain/free-ports";
import { startNatsServer } from "@pretrain/nats-server";
import { grpcurlBinary } from "@pretrain/setup/grpcurl";
import { temporaryDirectory, until } from "@pretrain/testing";
import { createAuthority } from "@pretrain/tls/authority";

const run = promisify(execFile);

test("given a trainer with a certificate and an access file, grpcurl gets in with a key, and certificate and rights are replaced while it runs", async (t) => {
  if (!existsSync(grpcurlBinary)) return t.skip("no grpcurl: the set-up could not fetch it, see its output");
  const running = new AsyncDisposableStack();
  t.after(() => running.disposeAsync()); // before the folder's own: hooks run in the order of registration
  const folder = temporaryDirectory(t);
  const authority = await createAuthority();
  for (const name of ["nats", "trainer"]) await authority.issue(join(folder, name), { name });
  const [ada, eve] = [createApiKey(), createApiKey()];
  const accessFile = join(folder, "access.yaml");
  const allow = (name: string, { sha256 }: typeof ada, roles: string) =>
    writeFileSync(accessFile, `callers: [{ name: ${name}, key_sha256: "${sha256}", roles: ${roles} }]\n`);
  allow("ada", ada, '[{ role: viewer }, { role: researcher, resources: ["experiments/ada-*"] }]');
  const access = { certificates: join(folder, "nats"), users: brokerPermissions };
  const nats = running.use(await startNatsServer({ port: 0, storeDirectory: join(folder, "streams"), access }));
  const [address, health] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const trainer = running.use(
    await startService({
      name: "trainer",
      logFile: join(folder, "trainer.log"),
      environment: {
        PRETRAIN_NATS_URL: nats.url,
        PRETRAIN_BLOBS: `file://${join(folder, "blobs")}`,
        PRETRAIN_STATE: join(folder, "state"),
        PRETRAIN_GRPC_ADDRESS: address,
        PRETRAIN_HTTP_ADDRESS: "127.0.0.1:0",
        PRETRAIN_HEALTH_ADDRESS: health,
        PRETRAIN_TLS: join(folder, "trainer"),
        PRETRAIN_ACCESS: accessFile,
        PRETRAIN_WORKERS: "elsewhere",
      },
    }),
  );
  await trainer.serving(health);

  const grpcurl = async (...parameters: string[]) =>
    run(grpcurlBinary, ["-cacert", join(folder, "trainer", "ca.crt"), ...parameters]).then(
      ({ stdout }) => stdout,
      ({ stderr }: { readonly stderr: string }) => stderr,
    );
  const bearer = (key: string) => ["-H", `authorization: Bearer ${key}`];
  const list = (...shown: string[]) => grpcurl(...shown, address, "pretrain.train.v1.TrainerService/ListExperiments");

  await t.test(
    "with a key it is served, also by reflection; with another key, with none, and without TLS it is not",
    async () => {
      assert.match(await grpcurl(...bearer(ada.key), address, "list"), /^pretrain\.train\.v1\.TrainerService$/m);
      assert.equal((await list(...bearer(ada.key))).trim(), "{\n  \n}");
      assert.match(await grpcurl(...bearer(eve.key), address, "list"), /Unauthenticated/);
      const proto = [
        "-import-path",
        join(import.meta.dirname, "../../proto"),
        "-proto",
        "pretrain/train/v1/trainer_service.proto",
      ];
      assert.match(await list(...proto, ...bearer(eve.key)), /Code: Unauthenticated\n.*the key is not known here/);
      assert.match(await list(...proto), /Code: Unauthenticated\n.*nobody is known by this call/);
      const open = run(grpcurlBinary, ["-plaintext", "-max-time", "5", address, "list"]);
      await assert.rejects(open, /Failed to (dial|list)/);
    },
  );

  await t.test(
    "what concerns another's experiment is refused with the role that it would take, and one line of the log says who asked",
    async () => {
      const pause = (id: string) =>
        grpcurl(
          ...bearer(ada.key),
          "-d",
          `{"name":"experiments/${id}"}`,
          address,
          "pretrain.train.v1.TrainerService/PauseExperiment",
        );
      assert.match(await pause("bob-1"), /Code: PermissionDenied\n.*"ada" is no researcher of experiments\/bob-1/);
      assert.match(await pause("ada-1"), /Code: NotFound/);
      const audited = () =>
        readFileSync(trainer.logFile, "utf8")
          .split("\n")
          .filter((line) => line.includes('"audit":true'))
          .map((line) => JSON.parse(line) as Record<string, unknown>);
      await until(() => audited().length >= 2, { timeoutMs: 30_000 });
      const told = audited().map(({ caller, resources, code }) => ({ caller, resources, code }));
      assert.deepEqual(told, [
        { caller: "ada", resources: ["experiments/bob-1"], code: "PERMISSION_DENIED" },
        { caller: "ada", resources: ["experiments/ada-1"], code: "NOT_FOUND" },
      ]);
      assert.doesNotMatch(readFileSync(trainer.logFile, "utf8"), new RegExp(`${ada.key}|${eve.key}`));
    },
  );

  await t.test(
    "a certificate and an access file that are replaced are in use some seconds later, without a restart",
    async () => {
      const serial = () =>
        new Promise<string>((resolve, reject) => {
          const ca = readFileSync(join(folder, "trainer", "ca.crt"));
          const socket = connect({ host: "127.0.0.1", port: Number(address.split(":")[1]), ca, ALPNProtocols: ["h2"] });
          socket.once("error", reject).once("secureConnect", () => {
            resolve(socket.getPeerCertificate().serialNumber);
            socket.destroy();
          });
        });
      const before = await serial();
      await authority.issue(join(folder, "trainer"), { name: "trainer" });
      allow("eve", eve, "[{ role: viewer }]");
      await until(async () => (await serial()) !== before, { timeoutMs: 60_000 });
      await until(async () => (await list(...bearer(eve.key))).includes("{"), { timeoutMs: 60_000 });
      assert.match(await list(...bearer(ada.key)), /Unauthenticated/);
    },
  );
});
