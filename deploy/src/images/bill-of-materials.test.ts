/** An image's bill of materials, held against the schema of CycloneDX by that project's own validator. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { billOfMaterials } from "./bill-of-materials.ts";
import { checkout } from "./checkout.ts";
import { wheelsOf } from "./engine-files.ts";
import { roles } from "./roles.ts";
import { packagesOf } from "./workspace-packages.ts";

const libraries = [
  {
    path: "/usr/lib/libm.so.6",
    sha256: "a".repeat(64),
    debian: { name: "libc6", version: "2.36-9+deb12u10", architecture: "amd64" },
  },
  { path: "/usr/lib/libown.so", sha256: "b".repeat(64), debian: undefined },
];

for (const role of Object.values(roles)) {
  test(`${role.name}: valid CycloneDX that names every package, wheel and library once`, async () => {
    const packages = packagesOf(checkout, role.services);
    const wheels = wheelsOf(role.engine);
    const bill = billOfMaterials({ role, version: "0.1.0", packages, wheels, libraries });
    const faults = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(JSON.stringify(bill));
    assert.equal(faults, null, JSON.stringify(faults));
    const references = bill.components.map((each) => each["bom-ref"]);
    assert.equal(new Set(references).size, references.length);
    assert.equal(references.length, packages.length + wheels.length + libraries.length + 1); // and Node
    const without = bill.components.filter(({ purl, hashes }) => purl?.startsWith("pkg:npm/") && hashes === undefined);
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
      "npm packages without the hash of the lockfile",
    );
  });
}

test("the system's package is named with its version, its files inside; OpenSSL is found inside Node", () => {
  const bill = billOfMaterials({ role: roles.api, version: "0.1.0", packages: [], wheels: [], libraries });
  const libc = bill.components.find(({ purl }) => purl === "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64");
  assert.deepEqual(
    libc?.components?.map(({ name }) => name),
    ["/usr/lib/libm.so.6"],
  );
  const node = bill.components.find(({ name }) => name === "node");
  assert.ok(node?.components?.some(({ name, version }) => name === "openssl" && version === process.versions.openssl));
});
