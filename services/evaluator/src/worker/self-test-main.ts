/** The canaries alone, without service, broker or store: prints the certificate as JSON. For a machine on which nothing runs. */
import { toJsonString } from "@bufbuild/protobuf";
import { CertificateSchema } from "@pretrain/proto";
import { certificateMessage } from "../evaluation/certificate.ts";
import { selfTest } from "./certification/self-test.ts";

const certificate = certificateMessage(await selfTest(), { checkpointSha256: "", tokenizerSha256: "" });
process.stdout.write(`${toJsonString(CertificateSchema, certificate)}\n`);
