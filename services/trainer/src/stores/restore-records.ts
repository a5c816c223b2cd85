/** What the bucket has forgotten, from the copies: at the start, and whenever the bucket may be another one than before. */
import type { RecordIndex } from "@pretrain/events";
import type { Log } from "@pretrain/observability";
import type { ExperimentRecord } from "@pretrain/proto";
import { changesOf, type ExperimentFacts } from "../experiment/experiment-facts.ts";
import { marked } from "../experiment/record.ts";
import type { Experiments } from "./experiments.ts";
import type { RecordCopies } from "./record-copies.ts";

export interface Restoring {
  readonly experiments: Experiments;
  readonly index: RecordIndex<ExperimentFacts>;
  readonly copies: RecordCopies;
  readonly log: Log;
}

export async function restoreRecords({ experiments, index, copies, log }: Restoring): Promise<void> {
  const numbers = await copies.numbers();
  const facts = await index.current(); // behind the copies, so that nothing written meanwhile looks forgotten
  for (const [id, [newest = 0, ...older]] of numbers) {
    const known = facts.get(id)?.changes ?? 0;
    if (newest <= known) continue;
    const copy = await readable(copies, id, [newest, ...older]);
    if (copy === undefined || changesOf(copy) <= known) continue;
    if (!(await experiments.restore(id, asFound(copy)))) continue;
    const lost = changesOf(copy) - known;
    log.error(
      { experiment: id, lost },
      "the broker had forgotten changes of a record; they are restored from its copy",
    );
  }
}

async function readable(
  copies: RecordCopies,
  id: string,
  numbers: readonly number[],
): Promise<ExperimentRecord | undefined> {
  for (const number of numbers) {
    const copy = await copies.read(id, number);
    if (copy !== undefined) return copy;
  }
  return undefined;
}

/** Its events and its piece of work may be lost with the record: all of them are sent again, and known by their identities. */
function asFound(copy: ExperimentRecord): ExperimentRecord {
  return marked(copy, { announced: 0, enqueued: false, copied: changesOf(copy) });
}
