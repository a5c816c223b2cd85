/** A real S3 server for tests: SeaweedFS, pinned, on loopback, in a folder of the test's own. */
export { ensureS3Server, weedBinary, whyNoS3Server } from "./install.ts";
export { type S3Server, startS3Server } from "./s3-server.ts";
