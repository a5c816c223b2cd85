import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgument } from "@pretrain/errors";
import {
  address,
  blobStoreUrl,
  count,
  environmentOfWorker,
  folders,
  hostNames,
  logLevel,
  natsUrl,
  path,
  readConfig,
  variable,
} from "./index.ts";

const variables = {
  grpc: variable("PRETRAIN_GRPC_ADDRESS", address, "127.0.0.1:7402"),
  nats: variable("PRETRAIN_NATS_URL", natsUrl),
  blobs: variable("PRETRAIN_BLOBS", blobStoreUrl),
  roots: variable("PRETRAIN_DATA_ROOTS", folders, "/data"),
  state: variable("PRETRAIN_STATE", path),
  level: variable("PRETRAIN_LOG_LEVEL", logLevel, "info"),
  batch: variable("BATCH", count(1, 100), "8"),
};

test("values are read, defaults stand for what is not set or empty, and the rest of the environment is ignored", () => {
  const config = readConfig(variables, {
    PRETRAIN_NATS_URL: "nats://127.0.0.1:4222",
    PRETRAIN_BLOBS: "file:///blobs",
    PRETRAIN_DATA_ROOTS: "/a/../b:/c",
    PRETRAIN_STATE: "/state/",
    PRETRAIN_LOG_LEVEL: "",
    HOME: "/root",
  });
  assert.deepEqual(config, {
    grpc: "127.0.0.1:7402",
    nats: "nats://127.0.0.1:4222",
    blobs: "file:///blobs",
    roots: ["/b", "/c"],
    state: "/state",
    level: "info",
    batch: 8,
  });
});

test("every bad variable is named in one error, with what was found and what is expected", () => {
  const wrong = {
    PRETRAIN_GRPC_ADDRESS: "7402",
    PRETRAIN_NATS_URL: "http://x",
    PRETRAIN_BLOBS: "/blobs",
    PRETRAIN_LOG_LEVEL: "loud",
    BATCH: "101",
  };
  assert.throws(
    () => readConfig(variables, wrong),
    (error) => {
      assert.ok(error instanceof InvalidArgument);
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        [
          "PRETRAIN_GRPC_ADDRESS",
          "PRETRAIN_NATS_URL",
          "PRETRAIN_BLOBS",
          "PRETRAIN_STATE",
          "PRETRAIN_LOG_LEVEL",
          "BATCH",
        ],
      );
      assert.match(error.message, /PRETRAIN_GRPC_ADDRESS: is "7402"; host:port is expected/);
      assert.match(error.message, /PRETRAIN_STATE: is not set/);
      return true;
    },
  );
});

for (const [text, readable] of [
  ["127.0.0.1:0", true],
  ["[::1]:7401", true],
  ["data-shard.pretrain.svc:7401", true],
  ["127.0.0.1:65536", false],
  ["127.0.0.1", false],
  ["::1:7401", false],
  ["host:port", false],
] as const) {
  test(`${text} is ${readable ? "an" : "no"} address`, () => {
    const read = () => readConfig({ a: variable("A", address) }, { A: text });
    if (readable) assert.equal(read().a, text);
    else assert.throws(read, InvalidArgument);
  });
}

test("host names are separated by commas and compared in lower case; an address with scheme or port is none", () => {
  const read = (text: string) => readConfig({ names: variable("NAMES", hostNames, "") }, { NAMES: text }).names;
  assert.deepEqual(read("Pretrain.example.org,gpu-1"), ["pretrain.example.org", "gpu-1"]);
  assert.deepEqual(read(""), []);
  for (const wrong of ["https://a.example", "a.example:443", "a b", "*.example"])
    assert.throws(() => read(wrong), /NAMES: .*host names separated by commas/, wrong);
});

test("a worker that a service starts is told all that the service was, but who it is", () => {
  const environment = { PRETRAIN_TLS: "/certificates/trainer", PRETRAIN_STATE: "/state" };
  const workerTls = "/certificates/trainer-worker";
  assert.deepEqual(environmentOfWorker(environment, { workerTls }), { ...environment, PRETRAIN_TLS: workerTls });
  assert.deepEqual(environmentOfWorker(environment, { workerTls: undefined }), environment);
});
