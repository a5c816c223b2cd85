/** The broker's configurations on a cluster: what is written beside the manifests is what the table says, and a server takes it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { natsServerBinary } from "@pretrain/nats-server";
import { temporaryDirectory } from "@pretrain/testing";
import { createAuthority } from "@pretrain/tls/authority";
import { brokerConfigurations, configurationFile, storeBytes } from "./configurations.ts";

const components = ["nats", "nats-cluster"] as const;

test("given the table of permissions, the files beside the manifests are what is written from it", () => {
  for (const component of components) {
    const advice = "run node deploy/src/broker-configuration/main.ts";
    assert.equal(readFileSync(configurationFile(component), "utf8"), brokerConfigurations[component], advice);
  }
});

test("given such a file, nats-server understands all of it", async (scope) => {
  const folder = temporaryDirectory(scope);
  await (await createAuthority()).issue(join(folder, "tls"), { name: "nats" });
  for (const component of components) {
    const here = brokerConfigurations[component]
      .replaceAll("/etc/pretrain/tls", join(folder, "tls"))
      .replace('"/data"', JSON.stringify(join(folder, "data")));
    const file = join(folder, `${component}.conf`);
    writeFileSync(file, here);
    execFileSync(natsServerBinary, ["--config", file, "-t"], { stdio: "pipe" }); // throws, with its words, where it does not
  }
});

test("given the volume of a server, what its streams may take is less", () => {
  for (const component of components) {
    const manifest = readFileSync(new URL("nats.yaml", configurationFile(component)), "utf8");
    const volume = Number(/storage: (\d+)Gi\b/.exec(manifest)?.[1]) * 2 ** 30;
    assert.ok(storeBytes <= 0.9 * volume, `${storeBytes} bytes of ${volume}`);
  }
});
