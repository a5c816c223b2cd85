/** I8: files in a system's state that nobody answers for. */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** Everything that may lie there, by its path below the state's folder. Unfinished blobs are swept ten minutes later. */
const known = [
  /^blobs\/\.incomplete\/[0-9a-f]{32}\.part$/,
  /^blobs\/experiments\/[a-z0-9-]+\/checkpoints\/\d+\/quarantine\/\d+\.(manifest|reason)\.json$/,
  /^blobs\/experiments\/[a-z0-9-]+\/checkpoints\/\d+\/results\/[a-z0-9-]+\.json$/,
  /^blobs\/experiments\/[a-z0-9-]+\/evaluations\/[a-z0-9-]+(\.json|\/losses-[0-9a-f]{16}\.safetensors)$/,
  /^blobs\/records\/experiments\/[a-z0-9-]+\/\d+\.json$/,
  /^blobs\/requests\/[a-z-]+\/[0-9a-f]{64}$/,
  /^blobs\/(tokenizers|datasets)\/[^.][^/]*(\/[^.][^/]*)*$/,
  /^blobs\/experiments\/[a-z0-9-]+\/(recipe\.json|attempts\/\d+\.json|report\/report\.(json|(zh\.)?(md|html)))$/,
  /^blobs\/experiments\/[a-z0-9-]+\/checkpoints\/\d+\/\d+\.manifest\.json$/,
  /^blobs\/experiments\/[a-z0-9-]+\/checkpoints\/\d+\/\d+\.[0-9a-f]{16}\.((model|optimizer)\.safetensors|state\.json)$/,
  /^(trainer|second-trainer|evaluator)\/programs\/[^/]+$/,
  /^(trainer|second-trainer)\/spool\/(lock(-journal)?|(sent|confirmed)(\.new)?|\d{16}\.spool)$/,
  /^report\/ledger\.sqlite(-wal|-shm|\.copy)?$/,
  /^blobs\/ledger\/\d{8}T\d{9}Z\.sqlite$/,
];

/** Paths below `state` that are none of these. */
export function strayFiles(state: string): string[] {
  return readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(state, join(entry.parentPath, entry.name)))
    .filter((path) => !known.some((pattern) => pattern.test(path)));
}
