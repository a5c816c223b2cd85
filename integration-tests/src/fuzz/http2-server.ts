/** The server that is attacked: the one of every service, with limits for strangers, in a process of its own. Tells its address. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccess } from "@pretrain/access";
import { createLog } from "@pretrain/observability";
import { serveGrpc } from "@pretrain/rpc";

const log = createLog("attacked", "error");
const folder = mkdtempSync(join(tmpdir(), "pretrain-attacked-"));
const file = join(folder, "access.yaml");
writeFileSync(file, "callers: []\n");
const access = await openAccess(file, { log, lookEveryMs: 3_600_000 });
rmSync(folder, { recursive: true });
const server = await serveGrpc({ address: "127.0.0.1:0", services: [], access, log });
process.send?.(server.address);
