import assert from "node:assert/strict";
import { test } from "node:test";
import { PermissionDenied } from "@pretrain/errors";
import { expectAllowed, expectAllowedSomewhere } from "./expect-allowed.ts";
import type { Grant, Role } from "./grants.ts";

const readAll: Grant = { role: "viewer" };
const ownWork: Grant = { role: "researcher", resources: ["experiments/ada-*", "datasets/wiki"] };

for (const [grants, role, resource, allowed] of [
  [[readAll], "viewer", "experiments/bob-1", true],
  [[readAll], "viewer", undefined, true],
  [[readAll], "researcher", "experiments/bob-1", false],
  [[ownWork], "researcher", "experiments/ada-1", true],
  [[ownWork], "researcher", "experiments/ada-1/checkpoints/5", true],
  [[ownWork], "viewer", "experiments/ada-1", true],
  [[ownWork], "operator", "experiments/ada-1", false],
  [[ownWork], "researcher", "experiments/bob-1", false],
  [[ownWork], "researcher", "experiments/ad", false],
  [[ownWork], "researcher", "datasets/wiki", true],
  [[ownWork], "researcher", "datasets/wiki/report", true],
  [[ownWork], "researcher", "datasets/wiki-2", false],
  [[ownWork], "viewer", undefined, false],
  [[readAll, ownWork], "researcher", undefined, false],
  [[readAll, ownWork], "viewer", "experiments/bob-1", true],
  [[{ role: "operator" }], "researcher", undefined, true],
  [[], "viewer", "experiments/ada-1", false],
] as const satisfies readonly (readonly [readonly Grant[], Role, string | undefined, boolean])[]) {
  const given = grants.map(
    ({ role: given, ...rest }) => `${given} of ${"resources" in rest ? rest.resources?.join(",") : "all"}`,
  );
  const title = `given ${given.join(", ") || "nothing"}, a ${role} of ${resource ?? "the installation"} is needed: ${allowed ? "allowed" : "refused"}`;
  test(title, () => {
    const caller = { kind: "person", name: "ada", grants } as const;
    const decide = () => expectAllowed(caller, { role, resource });
    if (allowed) return decide();
    assert.throws(decide, (error) => {
      assert.ok(error instanceof PermissionDenied && error.reason === "ROLE_MISSING");
      assert.equal(
        error.message.includes(`no ${role} of ${resource ?? "the whole installation"}`),
        true,
        error.message,
      );
      return true;
    });
  });
}

test("given a process, its name must be among those that may, whatever roles people need", () => {
  const worker = { kind: "process", name: "trainer-worker" } as const;
  expectAllowed(worker, { role: "operator", processes: ["trainer", "trainer-worker"] });
  for (const processes of [undefined, [], ["trainer"], ["trainer-worker-2"]]) {
    assert.throws(() => expectAllowed(worker, { role: "viewer", processes }), /the process "trainer-worker"/);
    assert.throws(() => expectAllowedSomewhere(worker, { role: "viewer", processes }), PermissionDenied);
  }
});

test("given a role for some resources, it is known without the request whether any of them could be meant", () => {
  const ada = { kind: "person", name: "ada", grants: [ownWork] } as const;
  expectAllowedSomewhere(ada, { role: "researcher" });
  assert.throws(() => expectAllowedSomewhere(ada, { role: "operator" }), /"ada" is no operator of/);
});
