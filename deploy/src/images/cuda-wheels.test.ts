/** The pinned CUDA wheels and the ranges that TensorFlow's metadata gives. Without a network: `check-cuda-wheels` asks the registry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askedForCuda } from "./check-cuda-wheels.ts";
import { cudaWheels } from "./cuda-wheels.ts";

for (const { requirement, asked, sha256 } of cudaWheels) {
  test(`${requirement} is what ${asked} allows`, () => {
    const [, name, most, least] = /^([\w-]+)<([\d.]+),>=([\d.]+)$/.exec(asked) ?? [];
    const [pinned, version = ""] = requirement.split("==");
    assert.equal(pinned, name);
    assert.ok(compare(version, least ?? "") >= 0 && compare(version, most ?? "") < 0);
    assert.match(sha256, /^[0-9a-f]{64}$/);
  });
}

test("of a package's requirements, those of its extra and-cuda are read", () => {
  const requires = ["numpy>=1.26.0", 'nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"', 'x>=1; extra == "gcs"'];
  assert.deepEqual(askedForCuda(requires), ["nvidia-nccl-cu12<3.0,>=2.27.7"]);
});

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let index = 0; index < 4; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
