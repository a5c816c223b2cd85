/** The form of the access file, and what each of its texts may be. */
import * as v from "valibot";
import { resourcePattern, roles } from "./grants.ts";

const maximumEntries = 1000;

const grant = v.strictObject({
  role: v.picklist(roles, `a role is one of ${roles.join(", ")}`),
  resources: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string("a name is expected, such as experiments/ada-*"),
          v.regex(resourcePattern, "a name is expected, such as experiments/ada-*: `*` may stand at its end only"),
        ),
      ),
      v.minLength(1, "names nothing; leave it out to mean everything"),
      v.maxLength(maximumEntries, `at most ${maximumEntries} are read`),
    ),
  ),
});
const grants = v.pipe(v.array(grant), v.maxLength(100, "at most 100 grants are read"));
const callerName = v.pipe(
  v.string("a name is expected"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/, "letters, digits, `.`, `_`, `@`, `-` are expected, 128 at most"),
);
const text = v.pipe(v.string("text is expected"), v.minLength(1, "is empty"), v.maxLength(2048, "is too long"));

export const accessSchema = v.strictObject({
  callers: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          name: callerName,
          key_sha256: v.pipe(
            v.string("64 hexadecimal digits are expected"),
            v.regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits are expected, as `pretrain keys` writes them"),
          ),
          roles: grants,
        }),
      ),
      v.maxLength(maximumEntries, `at most ${maximumEntries} are read`),
    ),
    [],
  ),
  issuers: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          issuer: text,
          audience: text,
          jwks_file: v.optional(text),
          jwks_url: v.optional(
            v.pipe(
              text,
              v.check((url) => URL.canParse(url) && new URL(url).protocol === "https:", "https://… is expected"),
            ),
          ),
          name_claim: text,
          roles_claim: text,
          roles: v.record(text, grants),
        }),
      ),
      v.maxLength(20, "at most 20 are read"),
    ),
    [],
  ),
});

export type IssuerText = v.InferOutput<typeof accessSchema>["issuers"][number];

/** RFC 7517. */
export const keySet = v.looseObject({ keys: v.pipe(v.array(v.looseObject({ kty: v.string() })), v.minLength(1)) });
